/**
 * The life of a task: pending for the first third of its time, then processing with rising progress, then
 * over.
 * Nothing runs in between: each answer is worked out from the clock.
 */
import { randomHex } from './bytes.js';

/** @typedef {'images' | 'tasks' | 'alias' | 'none'} PollPath */

/** Where each style of server has its tasks polled. */
const ROOTS = { images: '/v1/images/generations', tasks: '/v1/tasks', alias: '/v1/images', none: '' };

/**
 * What a scenario makes of a task.
 *
 * @typedef {object} Traits
 * @property {boolean} [noPollUrl]
 * @property {boolean} [idOnly] the id appears as `id`, never as `task_id`
 * @property {string} [pollRoot] the path that `poll_url` begins with
 * @property {string} [pollUrlOrigin] makes `poll_url` absolute
 * @property {[string, string, string]} [words] shown instead of `pending`, `processing` and `completed`
 * @property {boolean} [vanishes] found once, gone afterwards
 * @property {number} [latePolls] how many polls do not find it yet
 * @property {boolean} [showsBilling] its bodies say what was billed
 * @property {(head: Head) => Record<string, unknown>} [end] the final answer, instead of a completed one
 */

/**
 * The fields that the answers about one task have in common.
 *
 * @typedef {object} Head
 * @property {number} created
 * @property {{ id?: string, task_id?: string }} ids
 * @property {{ poll_url?: string }} pollUrl
 */

/**
 * @typedef {object} Task
 * @property {string} id
 * @property {number} startedAt
 * @property {number} polls how often it was polled
 * @property {string} prompt
 * @property {number} n
 * @property {Traits} traits
 * @property {import('./scenarios.js').Scenario[]} scenarios those that apply to its polls
 * @property {() => Record<string, unknown>[]} images draws the result
 * @property {string} [owner] the key that may poll it; missing: every key
 * @property {string} billingId
 */

/** What a completed answer says of its price. @param {string} billingId */
export const billingOf = (billingId) => ({
  billing_transaction_id: billingId,
  usage: { input_tokens: 12, output_tokens: 1056, total_tokens: 1068 },
});

/** A fresh id of a billing transaction. */
export const newBillingId = () => `btx_${randomHex(24)}`;

/** The tasks of one server, by id. */
export class Tasks extends Map {
  #now;
  #taskMs;
  #pollPath;

  /**
   * @param {object} options
   * @param {() => number} options.now the clock, in milliseconds since 1970
   * @param {number} options.taskMs the whole time that a task takes
   * @param {PollPath} options.pollPath
   */
  constructor({ now, taskMs, pollPath }) {
    super();
    this.#now = now;
    this.#taskMs = taskMs;
    this.#pollPath = pollPath;
  }

  /**
   * Starts a task.
   *
   * @param {Pick<Task, 'prompt' | 'n' | 'traits' | 'scenarios' | 'images' | 'owner'>} request
   * @returns {Task}
   */
  start(request) {
    const isNew = this.#pollPath === 'tasks' || this.#pollPath === 'alias';
    const id = isNew ? `ldtask_${randomHex(32)}` : `img_${randomHex(12)}`;
    const task = { id, startedAt: this.#now(), polls: 0, billingId: newBillingId(), ...request };
    this.set(id, task);
    return task;
  }

  /**
   * What a poll of a task says: null when the task is gone, or not there yet.
   *
   * @param {Task} task
   */
  poll(task) {
    task.polls += 1;
    const { vanishes, latePolls = 0 } = task.traits;
    return (vanishes && task.polls > 1) || task.polls <= latePolls ? null : this.describe(task);
  }

  /** @param {Task} task */
  isOver(task) {
    return this.#now() - task.startedAt >= this.#taskMs;
  }

  /**
   * How a task stands at this moment.
   *
   * @param {Task} task
   * @returns {Record<string, unknown>}
   */
  describe(task) {
    const { created, ids, pollUrl } = this.#head(task);
    const { end, showsBilling, words = ['pending', 'processing', 'completed'] } = task.traits;
    const [pending, processing, completed] = words;
    // The answer to a create announces a task, even one that takes no time.
    if (task.polls > 0 && this.isOver(task)) {
      return end
        ? end({ created, ids, pollUrl })
        : {
            created,
            ...ids,
            status: completed,
            data: task.images(),
            ...(showsBilling && billingOf(task.billingId)),
          };
    }
    // The task endpoint lists no images before there are any; the older image endpoint lists placeholders.
    const placeholder = { url: '', revised_prompt: task.prompt };
    const data = task.id.startsWith('img_') ? Array.from({ length: task.n }, () => placeholder) : [];
    const share = (this.#now() - task.startedAt) / this.#taskMs;
    return task.polls === 0 || share < 1 / 3
      ? { created, ...ids, status: pending, ...pollUrl, data }
      : { created, ...ids, ...pollUrl, status: processing, progress: Math.floor(share * 100), data };
  }

  /**
   * @param {Task} task
   * @returns {Head}
   */
  #head({ id, startedAt, traits }) {
    const ids = id.startsWith('img_') ? { task_id: id } : { id, task_id: id };
    const root = traits.pollRoot ?? ROOTS[this.#pollPath];
    const hidden = this.#pollPath === 'none' || traits.noPollUrl;
    return {
      created: Math.floor(startedAt / 1000),
      ids: traits.idOnly ? { id } : ids,
      pollUrl: hidden ? {} : { poll_url: `${traits.pollUrlOrigin ?? ''}${root}/${id}` },
    };
  }
}
