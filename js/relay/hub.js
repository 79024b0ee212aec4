/** The routes of a relay whose tasks are a hub's. */

import { LOG_HINT, loggedCosts } from './public-error.js';
import { keyReused, notFound, Refusal } from './refusal.js';
import { failureOf, isEnd, isQueueFull, streamOf, textOf, withChain } from './view.js';
import { eventsOf } from './watch.js';

/** The ids of a hub's tasks begin with it inside a reference. */
const PREFIX = 'hub:';
const STREAM = 'text/event-stream';
const SUBPROTOCOL = 'sec-websocket-protocol';
const PROTOCOL_NAME = /^[\w.~-]{1,100}$/;
/** When a client asks again during a deploy, in milliseconds. */
const UPDATE_MS = 5000;
/** A socket could not store a longer one. */
const MAX_BASE_LENGTH = 2048;
/** A picture never changes, and belongs to its owner alone. */
const PICTURE_CACHING = 'private, max-age=86400, immutable';

const idOf = (task) => task.task_id.slice(PREFIX.length);

/** An object of another version would carry out another order than the one that it gets. */
const outdated = () =>
  new Refusal(503, 'relay_unavailable', 'The relay is being updated.', {
    retryAfterMs: UPDATE_MS,
    retryable: true,
    notice:
      'A task got its create from a worker of a later version and refused it, so nothing was sent. Such a mixture lasts ' +
      'for as long as a deploy: complete a gradual deployment, or deploy the later version again.',
  });

const outcomeUnknown = () =>
  new Refusal(
    502,
    'create_outcome_unknown',
    'The hub gave no answer: the create may have been carried out and billed.',
    {
      hint: LOG_HINT,
    },
  );

/**
 * The first subprotocol that a client names. A page cannot send headers with a WebSocket, so it may hand its token to
 * `authorize` behind it, as a second one. A browser gives up a socket whose server chooses none.
 */
function subprotocolOf({ headers }) {
  const name = headers.get(SUBPROTOCOL)?.split(',')[0].trim() ?? '';
  return PROTOCOL_NAME.test(name) ? { [SUBPROTOCOL]: name } : {};
}

/** The URL where the relay is mounted, as its client sees it. */
function baseOf({ url }) {
  const { origin, pathname } = new URL(url);
  return origin + pathname.slice(0, pathname.lastIndexOf('/v1/'));
}

/**
 * @param {import('./index.js').Hub} hub
 * @param {object} relay
 * @param {ReturnType<typeof import('./references.js').createReferences>} relay.references
 * @param {(name: string, work: () => unknown) => Promise<any>} relay.callOrRefuse
 * @param {(error: object, event: object) => any} relay.answerTo the answer to an error upstream
 * @param {boolean} relay.showCosts
 */
export function createHubRoutes(hub, { references, callOrRefuse, answerTo, showCosts }) {
  /**
   * Hands a create to the hub, which carries it out even if this request ends.
   *
   * @param {import('./index.js').HubOrder} order
   * @param {string | null} owner of the task
   * @param {Request} request
   * @param {object} event
   */
  async function create(order, owner, request, event) {
    const creating = () => hub.create({ ...order, request: { ...order.request } });
    const answer = await callOrRefuse('hub', creating).catch((refusal) => {
      // Only with a key is it safe to ask again: without one, the effect of a failed call is unknown.
      throw order.key ? refusal : outcomeUnknown();
    });
    event.task = answer.id;
    if (answer.isOutdated) throw outdated();
    if (answer.isReused) throw keyReused();
    if (!answer.view) throw notFound();
    event.repeated = answer.isRepeated || undefined;
    const { error } = answer.view;
    if (error && isQueueFull(error)) {
      throw new Refusal(429, 'rate_limit_exceeded', 'Too many creates wait for their turn.', {
        retryAfterMs: error.retryAfterMs,
        retryable: true,
      });
    }
    if (error && !isEnd(error)) return refusalOf(answer.view, event);
    const task = { task_id: PREFIX + answer.id };
    const reference = await references.sign(task, owner, answer.createdAt);
    return answerOf(answer.view, namesOf(request, reference), event);
  }

  const namesOf = (request, reference) => ({ reference, base: baseOf(request), showCosts });

  /** The answer to a create that was refused, with the models before the last one. */
  function refusalOf({ error, generation }, event) {
    const answer = answerTo(error, event);
    const body = JSON.parse(answer.body);
    return { ...answer, body: JSON.stringify({ ...body, error: withChain(body.error, error, generation) }) };
  }

  /** The state of a hub's task: once, or as a stream or a socket of all its states. */
  async function getTask(task, reference, request, event) {
    const id = idOf(task);
    event.task = id;
    const names = namesOf(request, reference);
    const isShort = names.base.length <= MAX_BASE_LENGTH;
    const upgrades = isShort && request.headers.get('upgrade')?.toLowerCase() === 'websocket';
    const streams = isShort && !upgrades && request.headers.get('accept')?.includes(STREAM);
    if (upgrades || streams) {
      event.watches = upgrades ? 'websocket' : 'stream';
      const webSocket = await callOrRefuse('hub', () => hub.watch(id, names));
      if (webSocket && upgrades) {
        return { status: 101, headers: subprotocolOf(request), body: null, webSocket };
      }
      if (webSocket) {
        const body = eventsOf(webSocket, request.signal, hub.streams);
        return { status: 200, headers: { 'content-type': STREAM }, body };
      }
    }
    const view = await callOrRefuse('hub', () => hub.getTask(id));
    if (!view) throw notFound();
    if (view.error?.outcome === 'accepted') return answerTo(view.error, event);
    return answerOf(view, names, event);
  }

  function answerOf(view, names, event) {
    Object.assign(event, loggedCosts({ ...view.generation, ...view.error?.body }));
    const answer = { status: 200, headers: {} };
    if (view.error) return { ...answer, body: failureOf(view, names) };
    if (view.data instanceof ReadableStream) return { ...answer, body: streamOf(view, names) };
    return { ...answer, body: textOf(view, names) };
  }

  async function picture(task, index) {
    const found = await callOrRefuse('hub', () => hub.picture(idOf(task), index));
    if (!found) throw new Refusal(404, 'not_found', 'There is no such picture.');
    const headers = {
      // A file that is no picture must not act as a page of this origin.
      'content-type': /^image\/[\w.+-]+$/.test(found.type) ? found.type : 'application/octet-stream',
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': PICTURE_CACHING,
      etag: found.etag,
    };
    return { status: 200, headers, body: found.body, size: found.size };
  }

  return { create, getTask, picture };
}
