/**
 * The life of a task: pending for the first third of its time, then processing with rising progress, then
 * over.
 * Nothing runs in between: how a task stands is worked out from the clock whenever somebody asks.
 */
import { randomBytes } from 'node:crypto';

/** @typedef {'images' | 'tasks' | 'none'} PollPath */

/**
 * How a scenario bends a task.
 *
 * @typedef {object} Traits
 * @property {boolean} [noPollUrl]
 * @property {boolean} [idOnly] the id appears as `id`, never as `task_id`
 * @property {string} [pollUrlOrigin] makes `poll_url` absolute
 * @property {string} [pendingStatus] shown instead of `pending`
 * @property {boolean} [vanishes] found once, gone afterwards
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
 * @property {number} polls how often it was asked for
 * @property {string} prompt
 * @property {number} n
 * @property {Traits} traits
 * @property {import('./scenarios.js').Scenario[]} scenarios those that apply to its polls
 * @property {() => Record<string, unknown>[]} images draws the result
 */

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
   * @param {Pick<Task, 'prompt' | 'n' | 'traits' | 'scenarios' | 'images'>} request
   * @returns {Task}
   */
  start(request) {
    const id = this.#pollPath === 'tasks' ? `ldtask_${hex(32)}` : `img_${hex(12)}`;
    const task = { id, startedAt: this.#now(), polls: 0, ...request };
    this.set(id, task);
    return task;
  }

  /**
   * What a poll of a task says: null when the task is gone.
   *
   * @param {Task} task
   */
  poll(task) {
    task.polls += 1;
    return task.traits.vanishes && task.polls > 1 ? null : this.describe(task);
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
    if (this.isOver(task)) {
      return task.traits.end
        ? task.traits.end({ created, ids, pollUrl })
        : { created, ...ids, status: 'completed', data: task.images() };
    }
    // The task endpoint lists no images before there are any; the older image endpoint lists placeholders.
    const placeholder = { url: '', revised_prompt: task.prompt };
    const data = this.#pollPath === 'tasks' ? [] : Array.from({ length: task.n }, () => placeholder);
    const share = (this.#now() - task.startedAt) / this.#taskMs;
    return share < 1 / 3
      ? { created, ...ids, status: task.traits.pendingStatus ?? 'pending', ...pollUrl, data }
      : { created, ...ids, ...pollUrl, status: 'processing', progress: Math.floor(share * 100), data };
  }

  /**
   * @param {Task} task
   * @returns {Head}
   */
  #head({ id, startedAt, traits }) {
    const root = this.#pollPath === 'tasks' ? '/v1/tasks' : '/v1/images/generations';
    const ids = this.#pollPath === 'tasks' ? { id, task_id: id } : { task_id: id };
    const hidden = this.#pollPath === 'none' || traits.noPollUrl;
    return {
      created: Math.floor(startedAt / 1000),
      ids: traits.idOnly ? { id } : ids,
      pollUrl: hidden ? {} : { poll_url: `${traits.pollUrlOrigin ?? ''}${root}/${id}` },
    };
  }
}

/** @param {number} digits */
function hex(digits) {
  return randomBytes(digits / 2).toString('hex');
}
