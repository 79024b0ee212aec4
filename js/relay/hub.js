/** The routes of a relay whose tasks are a hub's. */

import { digest } from './digest.js';
import { keyReused, notFound, Refusal } from './refusal.js';
import { failureOf, streamOf, textOf } from './view.js';
import { eventsOf } from './watch.js';

/** What the id of a hub's task begins with, where a reference holds it. */
const PREFIX = 'hub:';
const STREAM = 'text/event-stream';
/** The ends of a task of its own. */
const ENDS = ['task_failed', 'task_cancelled'];
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
 * @param {import('../relay.js').Hub} hub
 * @param {object} relay
 * @param {ReturnType<typeof import('./references.js').createReferences>} relay.references
 * @param {(name: string, work: () => unknown) => Promise<any>} relay.need what the request cannot do without
 * @param {(error: object, event: object) => object} relay.refused the answer to an error upstream
 */
export function createHubRoutes(hub, { references, need, refused }) {
  /** Hands a create to the hub, which carries it out whatever becomes of this request. */
  async function create(idempotencyKey, made, identity, request, event) {
    const hasKey = idempotencyKey !== null;
    const told = {
      key: hasKey ? await digest([identity, idempotencyKey]) : undefined,
      fingerprint: await digest(Object.entries(made)),
      identity,
      request: { ...made },
    };
    // With a key, the same can be asked again; without one, nobody would know what has been done.
    const given = hasKey ? await need('hub', () => hub.create(told)) : await hub.create(told);
    if (given.isReused) throw keyReused();
    event.repeated = given.isRepeated || undefined;
    const { error } = given.view;
    if (error && !ENDS.includes(error.kind)) return refused(error, event);
    const reference = await references.sign({ task_id: PREFIX + given.id }, identity);
    return answerOf(given.view, reference, baseOf(request));
  }

  /** How a hub's task stands: once, or, for whoever can hear it, from now on. */
  async function look(task, reference, request, event) {
    const id = idOf(task);
    const names = { reference, base: baseOf(request) };
    const upgrades = request.headers.get('upgrade')?.toLowerCase() === 'websocket';
    const streams = !upgrades && request.headers.get('accept')?.includes(STREAM);
    if (upgrades || streams) {
      event.watches = upgrades ? 'websocket' : 'stream';
      const webSocket = await need('hub', () => hub.watch(id, names));
      if (webSocket && upgrades) return { status: 101, headers: {}, body: null, webSocket };
      if (webSocket)
        return {
          status: 200,
          headers: { 'content-type': STREAM },
          body: eventsOf(webSocket, request.signal),
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
