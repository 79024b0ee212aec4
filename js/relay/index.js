/**
 * The relay: the server part that holds the key, so that a web page never does. It speaks `Request → Response`, and
 * lets through what its options allow, to one upstream and three routes, none of which a client can choose.
 *
 * Upstream it is a client like any other, with all the rules of this package: what an answer means, which URL may
 * be called and what an error says is the client's to know.
 */

import {
  LemonData,
  LemonDataError,
  ResponseError,
  TaskCancelledError,
  TaskFailedError,
} from 'lemondata-wasm';
import { conditional } from './conditional.js';
import { digest } from './digest.js';
import { createHubRoutes } from './hub.js';
import { readOptions } from './options.js';
import { createOrigins } from './origins.js';
import { publicCode, publicError, publicFailure, publicGeneration } from './public-error.js';
import { createRedactor } from './redactor.js';
import { createReferences, idInPollUrl, isAbout } from './references.js';
import { keyReused, notFound, REFUSAL, Refusal } from './refusal.js';
import { makeRequest, readJson } from './requests.js';
import { LONGEST_TIMER_MS } from './settings.js';
import { cappedFetch } from './upstream.js';
import { rename } from './view.js';
import { within } from './within.js';

export { toCloudflare, toHono, toNextRoute, toNodeHandler } from './adapters.js';
export { anonymousByIp } from './anonymous.js';
export { cloudflareLimiter, memoryLimiter } from './limiters.js';
export { memoryStore } from './once.js';

const CREATE_ROUTE = /\/v1\/images\/generations$/;
const PICTURE_ROUTE = /\/v1\/tasks\/([^/]+)\/images\/(\d{1,3})$/;
const POLL_ROUTE = /\/v1\/(?:images\/generations|tasks)\/([^/]+)$/;
const HEALTH_ROUTE = /\/health$/;

/** For the log alone: nobody is there any more to be answered. */
const CLIENT_GONE = 499;
/** What the client package allows a create by default. */
const CREATE_TIMEOUT_MS = 300_000;
/** How long a key rests whose create was refused without a `Retry-After`. */
const PAUSE_MS = 1000;
const MAX_PAUSE_MS = 600_000;
const MAX_PAUSES = 10_000;

/** On every answer. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-type': 'application/json',
  'x-content-type-options': 'nosniff',
  vary: 'origin',
};

/** For a proxy or a compressing middleware, which would keep events until there are many of them. */
const STREAM_HEADERS = { 'cache-control': 'no-store, no-transform', 'x-accel-buffering': 'no' };

export function createRelay(options) {
  const settings = readOptions(options);
  const { authorize, limiter, store, hub, user, logPrompts, now, callbackTimeoutMs } = settings;
  const origins = createOrigins(settings.allowedOrigins, settings);
  const references = createReferences(settings.secrets, { ...settings, kind: hub ? 'hub' : 'task' });
  const redactor = createRedactor();
  /** Whoever waits for another's create waits for as long as that may take. */
  const createTimeoutMs = Math.min(
    (settings.requestTimeout ?? CREATE_TIMEOUT_MS) + callbackTimeoutMs,
    LONGEST_TIMER_MS,
  );
  const client = new LemonData({
    async apiKey() {
      const { apiKey } = settings;
      const key = typeof apiKey === 'function' ? await apiKey() : apiKey;
      redactor.learn(key);
      return key;
    },
    baseUrl: settings.baseUrl,
    fetch: cappedFetch(settings.fetch, settings.maxAnswerBytes),
    requestTimeout: settings.requestTimeout,
    // The client in the page repeats what is safe to repeat.
    maxRetries: 0,
  });

  const routes =
    hub &&
    createHubRoutes(hub, {
      references,
      need: (name, work) => need(name, work, createTimeoutMs),
      refused: answerTo,
    });
  /** The keys whose create was refused, to be tried again later: `until` and the answer, in the order of refusal. */
  const pauses = new Map();

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
    if (owner) return { name: 'picture', methods: ['GET', 'HEAD'], reference: owner, index: Number(index) };
    if (CREATE_ROUTE.test(pathname)) return { name: 'create', methods: ['POST'] };
    if (HEALTH_ROUTE.test(pathname)) return { name: 'health', methods: ['GET'] };
    throw new Refusal(404, 'not_found', 'There is no such route.');
  }

  async function handle(request, context, event, headers) {
    if (context?.[REFUSAL]) throw context[REFUSAL];
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
    const waitMs = await need('limiter', () => waitFor(identity, kind));
    if (waitMs > 0) {
      throw new Refusal(429, 'rate_limit_exceeded', 'Too many requests: wait before the next one.', {
        retryAfterMs: waitMs,
        retryable: true,
      });
    }
    if (route.name === 'create') return create(request, context, identity, event);
    const task = await references.read(route.reference, identity);
    if (!task) throw notFound();
    if (route.name === 'picture') return conditional(request, await routes.picture(task, route.index));
    if (routes?.has(task)) return routes.look(task, route.reference, request, event);
    return poll(task, route.reference, request, event);
  }

  /**
   * What a request cannot do without. Where it fails or never settles, nothing has been done, and the client may try
   * again.
   */
  async function need(name, work, timeoutMs = callbackTimeoutMs) {
    try {
      return await within(timeoutMs, work(), name);
    } catch (error) {
      log({ event: `${name}_failed`, error });
      throw new Refusal(503, 'relay_unavailable', 'The relay cannot serve you now. Try again.', {
        retryable: true,
      });
    }
  }

  /** What the limiter says. Anything but a time would switch it off. */
  async function waitFor(identity, kind) {
    if (!limiter) return 0;
    const waitMs = await limiter.take(identity, kind);
    if (typeof waitMs === 'number' && waitMs >= 0) return waitMs;
    throw new TypeError(`The limiter must return milliseconds or 0, but returned ${String(waitMs)}.`);
  }

  /** Who it is: a text, or a refusal. */
  async function identify(request, context) {
    const identity = await need('authorize', () => authorize(request, context));
    if (typeof identity === 'string' && identity !== '') return identity;
    throw new Refusal(401, 'unauthorized', 'This relay does not know you.');
  }

  /** What the service gets as `user`. */
  async function nameFor(identity) {
    const name = await user(identity);
    if (name === undefined || typeof name === 'string') return name;
    throw new TypeError(`createRelay: user must return a text or undefined, but returned ${typeof name}.`);
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
    const body = await readJson(request, settings);
    const made = makeRequest(body, await need('user', () => nameFor(identity)), settings);
    event.model = made.model;
    if (logPrompts) event.prompt = made.prompt;

    if (routes) return routes.create(idempotencyKey, made, identity, request, event);
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
    const known = await claim(key, fingerprint);
    if (known && known.fingerprint !== fingerprint) {
      throw keyReused();
    }
    if (known) {
      event.repeated = true;
      return known.answer ?? failed(new Error('The store has lost the answer to a create.'));
    }
    const pausing = pauseOf(key);
    if (pausing) {
      event.repeated = true;
      await settle(key, undefined);
      return pausing;
    }
    // A bug's answer is kept, too: what it has done is not known, so that it must not be done again.
    const { didNothing, pauseMs, ...answer } = await send(made, identity, event).catch(failed);
    if (didNothing && pauseMs) pause(key, answer, pauseMs);
    await settle(key, didNothing ? undefined : answer);
    return answer;
  }

  /** Asks the store for a key. A claim that comes too late is given back, since nobody will settle it. */
  async function claim(key, fingerprint) {
    let isLate = false;
    const claiming = async () => {
      const known = await store.claim(key, fingerprint);
      if (isLate && !known) await store.settle(key, undefined);
      return known;
    };
    try {
      return await need('store', claiming, createTimeoutMs);
    } finally {
      isLate = true;
    }
  }

  /** Tells the store. The client gets its answer whether or not that works, and without waiting for ever. */
  const settle = (key, answer) => need('store', () => store.settle(key, answer)).catch(() => {});

  /** Duplicates of a refused create would all be sent in turn: for the time of its pause they get its answer. */
  function pause(key, answer, pauseMs) {
    for (const [old, { until }] of pauses) {
      if (until > now() && pauses.size < MAX_PAUSES) break;
      pauses.delete(old);
    }
    pauses.delete(key);
    pauses.set(key, { answer, until: now() + Math.min(pauseMs, MAX_PAUSE_MS) });
  }

  /** The answer to a create whose key rests. */
  function pauseOf(key) {
    const { answer, until } = pauses.get(key) ?? {};
    const left = until - now();
    if (!(left > 0)) return undefined;
    return { ...answer, headers: { ...answer.headers, 'retry-after': String(Math.ceil(left / 1000)) } };
  }

  async function send(made, identity, event) {
    event.upstream = 'create';
    const info = {};
    try {
      const generation = await client.generate(made, { onResponse: (found) => Object.assign(info, found) });
      return json(200, rename(publicGeneration(generation), await refer(generation, identity)), info);
    } catch (error) {
      if (!(error instanceof LemonDataError)) throw error;
      if (!(error instanceof TaskFailedError)) return refused(error, event);
      return ended(error, await refer(error.task, identity), event, info);
    }
  }

  /** A reference to the task, where there is one. */
  async function refer(task, identity) {
    if (!task?.task_id) return undefined;
    const { task_id, poll_url } = task;
    const isUsable = idInPollUrl(poll_url, settings.baseUrl) !== undefined;
    try {
      return await references.sign(isUsable ? { task_id, poll_url } : { task_id }, identity);
    } catch (cause) {
      throw unusable('named its task by an id that no reference can hold', { task_id }, cause);
    }
  }

  async function poll(task, reference, request, event) {
    event.upstream = 'poll';
    const info = {};
    const options = { signal: request.signal, onResponse: (found) => Object.assign(info, found) };
    try {
      const found = await client.getTask(task, options).catch((error) => {
        if (error instanceof TaskFailedError) return error;
        throw error;
      });
      const isEnd = found instanceof TaskFailedError;
      if (!isAbout(task, Object(isEnd ? found.body : found), settings.baseUrl)) {
        throw unusable('answered a poll with another task', task);
      }
      if (isEnd) return ended(found, reference, event, info);
      return json(200, rename(publicGeneration(found), reference), info);
    } catch (error) {
      if (request.signal?.aborted) return json(CLIENT_GONE, {});
      if (!(error instanceof LemonDataError)) throw error;
      return refused(error, event);
    }
  }

  /** An answer of the service that must not be passed on. */
  const unusable = (what, task, cause) =>
    new ResponseError({
      kind: 'response',
      outcome: 'accepted',
      message: `The service ${what}.`,
      task,
      cause,
    });

  /** A task's own end is an answer like any other. */
  function ended(error, reference, event, info) {
    report(error, event);
    const failure = publicFailure(error.body, error instanceof TaskCancelledError);
    return json(200, rename(failure, reference), info, true);
  }

  /** The answer to an error upstream. */
  function refused(error, event) {
    report(error, event);
    return answerTo(error, event);
  }

  /** The same for the fields of an error that has been logged, as the hub does for its own. */
  function answerTo(error, event) {
    note(error, event);
    const { status, body, requestId, retryAfterMs } = publicError(error);
    const answer = json(status, body, { requestId }, true);
    if (retryAfterMs) answer.headers['retry-after'] = String(Math.ceil(retryAfterMs / 1000));
    if (error.outcome === 'not_sent') return { ...answer, didNothing: true };
    // As the client decides: these say that nothing was done.
    const didNothing = error.outcome === 'rejected' && (error.status === 429 || error.status === 503);
    return didNothing ? { ...answer, didNothing, pauseMs: retryAfterMs ?? PAUSE_MS } : answer;
  }

  /** Adds to the event of the request what has become of it upstream. */
  function note({ status = 0, outcome, kind, code, requestId }, event) {
    Object.assign(event, { upstreamStatus: status, outcome, code: publicCode(code) ?? kind, requestId });
  }

  /** Tells the operator what the client is not told. */
  function report(error, event) {
    note(error, event);
    const { status = 0, outcome, kind, requestId } = error;
    const code = publicCode(error.code) ?? kind;
    const { upstream, model, identity } = event;
    log({
      event: 'upstream_failed',
      upstream,
      model,
      identity,
      kind,
      code,
      status,
      outcome,
      requestId,
      error,
    });
  }

  /** The answer to an error that nobody foresaw. It shows nothing of it. */
  function failed(error) {
    log({ event: 'failed', error });
    return json(500, {
      error: { message: 'The relay itself failed.', type: 'relay_error', code: 'server_error' },
    });
  }

  /** Answers a request, whatever becomes of it. */
  async function answer(request, context) {
    const started = now();
    const event = { event: 'request', method: request.method, route: 'none' };
    const headers = {};
    let found;
    try {
      found = await handle(request, context, event, headers);
    } catch (error) {
      if (error instanceof Refusal) {
        event.code = error.error.code;
        found = {
          status: error.status,
          headers: error.headers,
          body: JSON.stringify({ error: error.error }),
        };
      } else {
        found = failed(error);
      }
    }
    log({ ...event, status: found.status, durationMs: now() - started });
    const isStream = found.headers['content-type'] === 'text/event-stream';
    return new Response(found.body, {
      status: found.status,
      webSocket: found.webSocket,
      headers: { ...HEADERS, ...found.headers, ...(isStream && STREAM_HEADERS), ...headers },
    });
  }

  return function relay(request, context) {
    // A promise that rejects would leave a request without an answer in most of the frameworks that call it so.
    if (!isRequest(request)) throw new TypeError(NO_REQUEST);
    return answer(request, context);
  };

  /**
   * An answer as plain JSON, which a store can keep. An error is short enough to look for the key in other spellings,
   * too.
   */
  function json(status, body, { requestId, rateLimit } = {}, isError = false) {
    const headers = {};
    if (requestId) headers['x-request-id'] = redactor.redact(requestId, true);
    for (const [name, value] of Object.entries(rateLimit ?? {})) {
      if (value !== undefined) headers[`x-ratelimit-${name}`] = String(value);
    }
    return { status, headers, body: redactor.redact(JSON.stringify(body), isError) };
  }
}

/** Whether this is a web `Request`, of whichever implementation. */
const isRequest = (request) => typeof request?.headers?.get === 'function' && typeof request.url === 'string';

const NO_REQUEST =
  'A relay takes a web Request, but was called with something else. Mount it by an adapter of lemondata-wasm/relay: ' +
  "toNodeHandler(relay) for Node's http, https and http2, Express, Fastify and Koa, toHono(relay) for Hono, " +
  'toNextRoute(relay) for Next.js, toCloudflare((env) => relay) for Cloudflare.';
