/** The hub as a relay sees it: tasks by the ids of their objects. */

import { nameOf } from './pictures.js';

/** A create that takes longer is answered as a task, though its model may answer at once. */
const ANSWER_WITHIN_MS = 10_000;

/**
 * @param {object} bindings
 * @param {DurableObjectNamespace} bindings.tasks of `TaskHub`
 * @param {R2Bucket} [bindings.pictures] the bucket that `TaskHub` copies pictures to
 * @param {number} [bindings.answerWithin] in milliseconds
 */
export function durableHub({ tasks, pictures, answerWithin = ANSWER_WITHIN_MS }) {
  if (typeof tasks?.idFromName !== 'function') {
    throw new TypeError(
      'durableHub needs tasks, the binding of the class TaskHub: durableHub({ tasks: env.TASKS }).',
    );
  }

  /** An id that this namespace has not made names nothing. */
  function objectOf(id) {
    try {
      return tasks.get(tasks.idFromString(id));
    } catch {
      return undefined;
    }
  }

  return {
    async create({ key, ...order }) {
      // The key names the object, so that duplicates meet there, wherever they arrive.
      const id = key === undefined ? tasks.newUniqueId() : tasks.idFromName(key);
      const made = await tasks.get(id).create({ ...order, waitMs: answerWithin });
      return { ...made, id: id.toString() };
    },

    look: async (id) => objectOf(id)?.look(),

    async watch(id, names) {
      const url = `https://hub/?${new URLSearchParams(names)}`;
      const response = await objectOf(id)?.fetch(url, { headers: { upgrade: 'websocket' } });
      return response?.webSocket ?? undefined;
    },

    async picture(id, index) {
      const object = await pictures?.get(nameOf(id, index));
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
