/** The routes of a relay whose tasks are a hub's. */

import { digest } from './digest.js';
import { keyReused, notFound, Refusal } from './refusal.js';
import { failureOf, isEnd, isQueueFull, streamOf, textOf } from './view.js';
import { eventsOf } from './watch.js';

/** What the id of a hub's task begins with, where a reference holds it. */
const PREFIX = 'hub:';
const STREAM = 'text/event-stream';
/** A longer one could not be stored with a socket. */
const MAX_BASE_LENGTH = 2048;
/** A picture never changes, and is its owner's alone. */
const PICTURE_CACHING = 'private, max-age=86400, immutable';

const has = (task) => task.task_id.startsWith(PREFIX);
const idOf = (task) => task.task_id.slice(PREFIX.length);

/** Where the relay is mounted, as its client sees it. */
function baseOf({ url }) {
  const { origin, pathname } = new URL(url);
  return origin + pathname.slice(0, pathname.lastIndexOf('/v1/'));
}

/**
 * @param {import('./index.js').Hub} hub
 * @param {object} relay
 * @param {ReturnType<typeof import('./references.js').createReferences>} relay.references
 * @param {(name: string, work: () => unknown) => Promise<any>} relay.need what the request cannot do without
 * @param {(error: object, event: object) => object} relay.refused the answer to an error upstream
 */
export function createHubRoutes(hub, { references, need, refused }) {
  /** Hands a create to the hub, which carries it out whatever becomes of this request. */
  async function create(idempotencyKey, made, identity, request, event) {
    const hasKey = idempotencyKey !== null;
    const order = {
      key: hasKey ? await digest([identity, idempotencyKey]) : undefined,
      fingerprint: await digest(Object.entries(made)),
      identity,
      request: { ...made },
    };
    // With a key, the client can ask again. Without one, it is not known what has been done.
    const answer = hasKey ? await need('hub', () => hub.create(order)) : await hub.create(order);
    if (answer.isReused) throw keyReused();
    if (!answer.view) throw notFound();
    event.repeated = answer.isRepeated || undefined;
    const { error } = answer.view;
    if (error && isQueueFull(error)) {
      event.code = error.kind;
      throw new Refusal(429, 'rate_limit_exceeded', 'Too many creates wait for their turn.', {
        retryAfterMs: error.retryAfterMs,
        retryable: true,
      });
    }
    if (error && !isEnd(error)) return refused(error, event);
    const reference = await references.sign({ task_id: PREFIX + answer.id }, identity);
    return answerOf(answer.view, reference, baseOf(request));
  }

  /** How a hub's task stands: once, or from now on, for a client that can take a stream or a socket. */
  async function look(task, reference, request, event) {
    const id = idOf(task);
    const names = { reference, base: baseOf(request) };
    const isShort = names.base.length <= MAX_BASE_LENGTH;
    const upgrades = isShort && request.headers.get('upgrade')?.toLowerCase() === 'websocket';
    const streams = isShort && !upgrades && request.headers.get('accept')?.includes(STREAM);
    if (upgrades || streams) {
      event.watches = upgrades ? 'websocket' : 'stream';
      const webSocket = await need('hub', () => hub.watch(id, names));
      if (webSocket && upgrades) return { status: 101, headers: {}, body: null, webSocket };
      if (webSocket)
        return {
          status: 200,
          headers: { 'content-type': STREAM },
          body: eventsOf(webSocket, request.signal, hub.streams),
        };
    }
    const view = await need('hub', () => hub.look(id));
    if (!view) throw notFound();
    if (view.error?.outcome === 'accepted') return refused(view.error, event);
    return answerOf(view, reference, names.base);
  }

  function answerOf(view, reference, base) {
    const answer = { status: 200, headers: {} };
    if (view.error) return { ...answer, body: failureOf(view.error, reference) };
    if (view.data instanceof ReadableStream) return { ...answer, body: streamOf(view, reference) };
    return { ...answer, body: textOf(view, reference, base) };
  }

  async function picture(task, index) {
    const found = has(task) && (await need('hub', () => hub.picture(idOf(task), index)));
    if (!found) throw new Refusal(404, 'not_found', 'There is no such picture.');
    const headers = {
      // Whatever it is, it must not act as a page of this origin.
      'content-type': /^image\/[\w.+-]+$/.test(found.type) ? found.type : 'application/octet-stream',
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': PICTURE_CACHING,
      etag: found.etag,
    };
    return { status: 200, headers, body: found.body, size: found.size };
  }

  return { has, create, look, picture };
}
