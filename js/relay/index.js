/**
 * The relay: the server part that holds the key, so that a web page never does. It speaks `Request → Response`, and
 * lets through what its options allow, to one upstream and three routes, none of which a client can choose.
 *
 * Upstream it is a client like any other, with all the rules of this package: what an answer means, which URL may
 * be called and what an error says is the client's to know.
 */

import { LemonData, LemonDataError, TaskFailedError, UntrustedUrlError } from 'lemondata-wasm';
import { readSettings } from './options.js';
import { createOrigins } from './origins.js';
import { createReferences } from './references.js';
import { notFound, Refusal } from './refusal.js';
import { makeRequest, readJson } from './requests.js';
import { failureOf, rename, streamOf, textOf } from './view.js';
import { eventsOf } from './watch.js';

export { toCloudflare, toHono, toNextRoute, toNodeHandler } from './adapters.js';
export { anonymousByIp } from './anonymous.js';
export { cloudflareLimiter, memoryLimiter } from './limiters.js';
export { memoryStore } from './once.js';

const CREATE_ROUTE = /\/v1\/images\/generations$/;
const PICTURE_ROUTE = /\/v1\/tasks\/([^/]+)\/images\/(\d{1,3})$/;
const POLL_ROUTE = /\/v1\/(?:images\/generations|tasks)\/([^/]+)$/;
const HEALTH_ROUTE = /\/health$/;

/** Errors of the account that the relay uses are its operator's affair. */
const ACCOUNT_STATUSES = [401, 402, 403];
/** What a client needs of the provider's errors, and what tells it nothing of the account. */
const TOLD = [
  'type',
  'code',
  'param',
  'hint',
  'did_you_mean',
  'suggestions',
  'alternatives',
  'retryable',
  'retry_after',
];

/** The ends of a task of its own. */
const ENDS = ['task_failed', 'task_cancelled'];

/** For the log alone: nobody is there any more to be answered. */
const CLIENT_GONE = 499;
/** Browsers by themselves send a request again that is answered so, a create among them. */
const REQUEST_TIMEOUT = 408;
const GATEWAY_TIMEOUT = 504;
/** No `Response` can have a greater one. */
const MAX_STATUS = 599;

/** What the id of a hub's task begins with, where a reference holds it. */
const HUB_PREFIX = 'hub:';
const STREAM = 'text/event-stream';
/** A picture never changes, and is its owner's alone. */
const PICTURE_CACHING = 'private, max-age=86400, immutable';

/** On every answer. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-type': 'application/json',
  'x-content-type-options': 'nosniff',
  vary: 'origin',
};

export function createRelay(options) {
  const settings = readSettings(options);
  const { authorize, limiter, store, hub, user, logPrompts, now } = settings;
  const origins = createOrigins(settings.allowedOrigins, settings);
  const references = createReferences(settings.secrets, settings);
  const client = new LemonData({
    apiKey: settings.apiKey,
    baseUrl: settings.baseUrl,
    fetch: settings.fetch,
    requestTimeout: settings.requestTimeout,
    // The client in the page repeats what is safe to repeat.
    maxRetries: 0,
  });

  /** A log that fails must not fail the request. */
  function log(event) {
    try {
      settings.log(event);
    } catch {}
  }

  /** @param {Request} request */
  function routeOf({ url }) {
    const { pathname } = new URL(url);
    const [, reference] = POLL_ROUTE.exec(pathname) ?? [];
    if (reference) return { name: 'poll', methods: ['GET'], reference };
    const [, owner, index] = (hub && PICTURE_ROUTE.exec(pathname)) ?? [];
    if (owner) return { name: 'picture', methods: ['GET'], reference: owner, index: Number(index) };
    if (CREATE_ROUTE.test(pathname)) return { name: 'create', methods: ['POST'] };
    if (HEALTH_ROUTE.test(pathname)) return { name: 'health', methods: ['GET'] };
    throw new Refusal(404, 'not_found', 'There is no such route.');
  }

  async function handle(request, context, event, headers) {
    const route = routeOf(request);
    event.route = route.name;
    Object.assign(headers, origins.check(request));
    const methods = [...route.methods, 'OPTIONS'].join(', ');
    if (request.method === 'OPTIONS') {
      Object.assign(headers, origins.preflight(methods));
      return { status: 204, headers: {}, body: null };
    }
    if (!route.methods.includes(request.method)) {
      throw new Refusal(405, 'method_not_allowed', 'That method is not allowed here.', {
        headers: { allow: methods },
      });
    }
    if (route.name === 'health') return json(200, { status: 'ok' });

    const identity = await identify(request, context);
    event.identity = identity;
    const kind = route.name === 'create' ? 'create' : 'poll';
    const waitMs = (await need('limiter', () => limiter?.take(identity, kind))) ?? 0;
    if (waitMs > 0) {
      throw new Refusal(429, 'rate_limit_exceeded', 'Too many requests: wait before the next one.', {
        retryAfterMs: waitMs,
        retryable: true,
      });
    }
    if (route.name === 'create') return create(request, context, identity, event);
    const task = await references.read(route.reference, identity);
    if (!task) throw notFound();
    const id = hub && task.task_id.startsWith(HUB_PREFIX) && task.task_id.slice(HUB_PREFIX.length);
    if (route.name === 'picture') return picture(id, route.index);
    if (id) return look(id, route.reference, request, event);
    return poll(task, route.reference, request, event);
  }

  /** What a request cannot do without. Where it fails, nothing has been done, and the client may try again. */
  async function need(name, work) {
    try {
      return await work();
    } catch (error) {
      log({ event: `${name}_failed`, error });
      throw new Refusal(503, 'relay_unavailable', 'The relay cannot serve you now. Try again.', {
        retryable: true,
      });
    }
  }

  /** Who it is: a text, or a refusal. */
  async function identify(request, context) {
    const identity = await need('authorize', () => authorize(request, context));
    if (typeof identity === 'string' && identity !== '') return identity;
    throw new Refusal(401, 'unauthorized', 'This relay does not know you.');
  }

  async function create(request, context, identity, event) {
    const idempotencyKey = request.headers.get('idempotency-key');
    if (idempotencyKey !== null && !store && !hub) {
      throw new Refusal(
        400,
        'idempotency_not_supported',
        'This relay has no store: it cannot promise to carry a keyed create out once.',
        { param: 'idempotencyKey' },
      );
    }
    if (idempotencyKey !== null && !/^[!-~]{1,255}$/.test(idempotencyKey)) {
      throw new Refusal(
        400,
        'invalid_request_error',
        'Idempotency-Key must be 1 to 255 visible characters.',
        {
          param: 'idempotencyKey',
        },
      );
    }
    const made = makeRequest(await readJson(request, settings), user(identity), settings);
    event.model = made.model;
    if (logPrompts) event.prompt = made.prompt;

    if (hub) return order(idempotencyKey, made, identity, request, event);
    // A client that leaves does not end it: it may have been billed by then, and its answer is wanted.
    const answering =
      idempotencyKey === null ? send(made, identity, event) : once(idempotencyKey, made, identity, event);
    context?.waitUntil?.(answering.catch(() => {}));
    return answering;
  }

  /** Carries a keyed create out, or answers what it was answered before. */
  async function once(idempotencyKey, made, identity, event) {
    const key = await digest([identity, idempotencyKey]);
    const fingerprint = await digest(Object.entries(made));
    const known = await need('store', () => store.claim(key, fingerprint));
    if (known && known.fingerprint !== fingerprint) {
      throw keyReused();
    }
    if (known) {
      event.repeated = true;
      return known.answer ?? failed(new Error('The store has lost the answer to a create.'));
    }
    // A bug's answer is kept, too: what it has done is not known, so that it must not be done again.
    const { didNothing, ...answer } = await send(made, identity, event).catch(failed);
    // What is known is told, whether or not it could be stored.
    await need('store', () => store.settle(key, didNothing ? undefined : answer)).catch(() => {});
    return answer;
  }

  /** Hands a create to the hub, which carries it out whatever becomes of this request. */
  async function order(idempotencyKey, made, identity, request, event) {
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
    const reference = await references.sign({ task_id: HUB_PREFIX + given.id }, identity);
    return answerOf(given.view, reference, baseOf(request));
  }

  /** How a hub's task stands: once, or, for whoever can hear it, from now on. */
  async function look(id, reference, request, event) {
    const names = { reference, base: baseOf(request) };
    const upgrades = request.headers.get('upgrade')?.toLowerCase() === 'websocket';
    const streams = !upgrades && request.headers.get('accept')?.includes(STREAM);
    if (upgrades || streams) {
      event.watches = upgrades ? 'websocket' : 'stream';
      const webSocket = await need('hub', () => hub.watch(id, names));
      if (webSocket && upgrades) return { status: 101, headers: {}, body: null, webSocket };
      if (webSocket) return { status: 200, headers: { 'content-type': STREAM }, body: eventsOf(webSocket) };
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

  async function picture(id, index) {
    const found = id && (await need('hub', () => hub.picture(id, index)));
    if (!found) throw new Refusal(404, 'not_found', 'There is no such picture.');
    const headers = {
      // Whatever it is, it must not act as a page of this origin.
      'content-type': /^image\/[\w.+-]+$/.test(found.type) ? found.type : 'application/octet-stream',
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': PICTURE_CACHING,
      etag: found.etag,
    };
    return { status: 200, headers, body: found.body };
  }

  async function send(made, identity, event) {
    event.upstream = 'create';
    const told = {};
    try {
      const generation = await client.generate(made, { onResponse: (info) => Object.assign(told, info) });
      return json(200, rename(generation, await refer(generation, identity)), told);
    } catch (error) {
      if (!(error instanceof LemonDataError)) throw error;
      if (!(error instanceof TaskFailedError)) return refused(error, event);
      // A task's own end is an answer like any other.
      return json(200, rename(error.body, await refer(error.task, identity)), told);
    }
  }

  /** A reference to the task, where there is one. */
  const refer = async (task, identity) => task?.task_id && references.sign(task, identity);

  async function poll(task, reference, request, event) {
    event.upstream = 'poll';
    const told = {};
    const ask = (known) =>
      client.getTask(known, {
        signal: request.signal,
        onResponse: (info) => Object.assign(told, info),
      });
    try {
      const generation = await ask(task).catch((error) => {
        // Its poll URL leads to another server: the id alone will do.
        if (error instanceof UntrustedUrlError) return ask(error.task);
        throw error;
      });
      return json(200, rename(generation, reference), told);
    } catch (error) {
      // The task's own end is an answer like any other.
      if (error instanceof TaskFailedError) return json(200, rename(error.body, reference), told);
      if (request.signal?.aborted) return json(CLIENT_GONE, {});
      if (!(error instanceof LemonDataError)) throw error;
      return refused(error, event);
    }
  }

  /** What a client is told of an error upstream, or of the fields of one. */
  function refused(error, event) {
    const { status = 0, outcome, requestId, retryAfterMs, body } = error;
    event.upstreamStatus = status;
    event.outcome = outcome;
    event.code = error.code ?? error.kind;
    const said = Object(Object(body).error);
    const headers = {};
    if (requestId) headers['x-request-id'] = requestId;
    if (retryAfterMs) headers['retry-after'] = String(Math.ceil(retryAfterMs / 1000));

    if (outcome === 'not_sent') {
      log({ event: 'not_sent', error });
      const told = { message: 'The relay could not send the request.', code: 'relay_error', retryable: true };
      return { ...json(503, { error: { type: 'relay_error', ...told } }), didNothing: true };
    }
    if (ACCOUNT_STATUSES.includes(status)) {
      const message = 'The service refused the account of this relay; its operator can see why.';
      return { ...json(403, { error: { message, type: 'relay_error', code: 'upstream_refused' } }), headers };
    }
    if (status < 400 || status > MAX_STATUS) {
      // No answer, or none that can be understood: for a create it is not known what came of it.
      const message = 'The service gave no answer that can be used.';
      return { ...json(502, { error: { message, type: 'relay_error', code: 'upstream_error' } }), headers };
    }
    const told = { message: 'The service could not carry the request out.' };
    if (status < 500 && typeof said.message === 'string') told.message = said.message;
    for (const name of TOLD) if (said[name] !== undefined) told[name] = said[name];
    const answer = json(status === REQUEST_TIMEOUT ? GATEWAY_TIMEOUT : status, { error: told });
    Object.assign(answer.headers, headers);
    // As the client decides: these say that nothing was done.
    const didNothing = outcome === 'rejected' && (status === 429 || status === 503);
    return didNothing ? { ...answer, didNothing } : answer;
  }

  /** The answer to an error that nobody foresaw. It shows nothing of it. */
  function failed(error) {
    log({ event: 'failed', error });
    return json(500, {
      error: { message: 'The relay itself failed.', type: 'relay_error', code: 'server_error' },
    });
  }

  return async function relay(request, context) {
    const started = now();
    const event = { event: 'request', method: request.method, route: 'none' };
    const headers = {};
    let answer;
    try {
      answer = await handle(request, context, event, headers);
    } catch (error) {
      if (error instanceof Refusal) {
        event.code = error.error.code;
        answer = {
          status: error.status,
          headers: error.headers,
          body: JSON.stringify({ error: error.error }),
        };
      } else {
        answer = failed(error);
      }
    }
    log({ ...event, status: answer.status, durationMs: now() - started });
    return new Response(answer.body, {
      status: answer.status,
      webSocket: answer.webSocket,
      headers: { ...HEADERS, ...answer.headers, ...headers },
    });
  };
}

const keyReused = () =>
  new Refusal(422, 'idempotency_key_reused', 'This Idempotency-Key belongs to another request.', {
    param: 'idempotencyKey',
  });

/** Where the relay is mounted, as its client sees it. */
function baseOf({ url }) {
  const { origin, pathname } = new URL(url);
  return origin + pathname.slice(0, pathname.lastIndexOf('/v1/'));
}

/** An answer as plain JSON, which a store can keep. */
function json(status, body, { requestId, rateLimit } = {}) {
  const headers = {};
  if (requestId) headers['x-request-id'] = requestId;
  for (const [name, value] of Object.entries(rateLimit ?? {})) {
    if (value !== undefined) headers[`x-ratelimit-${name}`] = String(value);
  }
  return { status, headers, body: JSON.stringify(body) };
}

/** A short text for what may be long, and must not be stored as it is. */
async function digest(parts) {
  const bytes = new TextEncoder().encode(JSON.stringify(parts));
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
