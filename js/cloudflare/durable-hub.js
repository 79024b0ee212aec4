/** The hub as a relay sees it: tasks by the ids of their objects. */

import { LONGEST_TIMER_MS, methods, milliseconds, readSettings, required } from '../relay/settings.js';
import { ORDER_VERSION } from './order-version.js';
import { pictureName } from './pictures.js';

const RULES = {
  tasks: required(
    methods(['idFromName', 'idFromString', 'newUniqueId', 'get'], 'the binding of the class TaskHub'),
    'Declare it under "durable_objects" in wrangler.jsonc, and pass it: durableHub({ tasks: env.TASKS }).',
  ),
  pictures: methods(['get'], 'the binding of an R2 bucket'),
  // A slower create is answered as a task, even if its model answers inline.
  answerWithin: milliseconds(10_000, { min: 0, max: LONGEST_TIMER_MS }),
  heartbeat: milliseconds(15_000, { max: LONGEST_TIMER_MS }),
  streamLife: milliseconds(300_000, { max: LONGEST_TIMER_MS }),
};

/**
 * @param {object} bindings
 * @param {DurableObjectNamespace<import('./index.js').TaskHub>} bindings.tasks
 * @param {R2Bucket} [bindings.pictures] the bucket that `TaskHub` copies pictures to
 * @param {number} [bindings.answerWithin] in milliseconds
 * @param {number} [bindings.heartbeat] in milliseconds
 * @param {number} [bindings.streamLife] in milliseconds
 */
export function durableHub(bindings) {
  /** @type {Record<string, any> & Pick<import('./index.js').HubBindings, 'tasks'>} */
  const { tasks, pictures, answerWithin, heartbeat, streamLife } = readSettings(
    'durableHub',
    RULES,
    bindings,
  );

  /** The object of an id, or `undefined` if this namespace has not made the id. */
  function objectOf(id) {
    try {
      return tasks.get(tasks.idFromString(id));
    } catch {
      return undefined;
    }
  }

  return {
    // `TaskHub` answers a ping without waking up.
    streams: { heartbeat, longest: streamLife, pings: true },

    /** @param {import('../relay/index.js').HubOrder} order */
    async create({ key, files, ...order }) {
      // The key names the object, so that duplicates meet there, wherever they arrive.
      const id = key === undefined ? tasks.newUniqueId() : tasks.idFromName(key);
      const call = {
        ...order,
        version: ORDER_VERSION,
        files: files.map(({ name, blob: { type, size } }) => ({ name, type, size })),
        // A call itself holds 32 MiB at most, a stream any number.
        content: files.length > 0 ? new Blob(files.map(({ blob }) => blob)).stream() : undefined,
        waitMs: answerWithin,
      };
      return { ...(await tasks.get(id).createTask(call)), id: id.toString() };
    },

    getTask: async (id) => objectOf(id)?.getTask(),

    async watch(id, names) {
      const url = `https://hub/?${new URLSearchParams(names)}`;
      const response = await objectOf(id)?.fetch(url, { headers: { upgrade: 'websocket' } });
      return response?.webSocket ?? undefined;
    },

    async picture(id, index) {
      const object = await pictures?.get(pictureName(id, index));
      return object
        ? {
            body: object.body,
            size: object.size,
            type: object.httpMetadata?.contentType,
            etag: object.httpEtag,
          }
        : undefined;
    },
  };
}
