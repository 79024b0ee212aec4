/**
 * Turns a reply into an HTTP answer, or into the lack of one.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';

/** @typedef {import('./errors.js').Reply} Reply */

/**
 * What the server keeps with a request while it is answered.
 *
 * @typedef {object} Variables
 * @property {Buffer | null} bytes the body; null when it was too large
 * @property {string} requestId
 * @property {boolean} [isTypeOnly] an error has no code
 * @property {boolean} [broken] the answer was left out or cut off on purpose
 */

/** @typedef {{ Bindings: import('@hono/node-server').HttpBindings, Variables: Variables }} Env */
/** @typedef {import('hono').Context<Env>} Context */

/**
 * @param {Context} c
 * @param {Reply} reply
 * @param {AbortSignal} closing ends every delay
 * @returns {Promise<Response>}
 */
export async function sendReply(c, reply, closing) {
  const { outgoing } = c.env;
  const { status = 200, body } = reply;
  if (reply.delay) {
    await sleep(reply.delay, undefined, { signal: closing }).catch(() => {});
  }
  if (reply.hang) {
    if (!outgoing.destroyed) {
      await once(outgoing, 'close');
    }
    c.set('broken', true);
    return RESPONSE_ALREADY_SENT;
  }
  if (reply.reset) {
    c.set('broken', true);
    outgoing.socket?.resetAndDestroy();
    return RESPONSE_ALREADY_SENT;
  }
  if (reply.partial !== undefined) {
    c.set('broken', true);
    outgoing.writeHead(status, {
      ...Object.fromEntries(c.res.headers),
      ...reply.headers,
      // More than will come: the client knows that the rest is missing.
      'content-length': Buffer.byteLength(reply.partial) + 1024,
    });
    outgoing.write(reply.partial, () => outgoing.destroy());
    return RESPONSE_ALREADY_SENT;
  }
  const code = /** @type {import('hono/utils/http-status').ContentfulStatusCode} */ (status);
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
    return c.body(/** @type {string | Uint8Array<ArrayBuffer>} */ (body ?? null), code, reply.headers);
  }
  return c.body(JSON.stringify(body), code, { 'content-type': 'application/json', ...reply.headers });
}
