/**
 * The relay: the server part that holds the key, so that a web page never does. It speaks `Request → Response`, and
 * lets through what its options allow, to one upstream and three routes, none of which a client can choose.
 *
 * Upstream it is a client like any other, with all the rules of this package: what an answer means, which URL may
 * be called and what an error says is the client's to know.
 */

import { LemonData, LemonDataError, TaskFailedError, UntrustedUrlError } from 'lemondata-wasm';
import { digest } from './digest.js';
import { createHubRoutes } from './hub.js';
import { readOptions } from './options.js';
import { createOrigins } from './origins.js';
import { createReferences } from './references.js';
import { keyReused, notFound, Refusal } from './refusal.js';
import { makeRequest, readJson } from './requests.js';
import { rename } from './view.js';

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

/** For the log alone: nobody is there any more to be answered. */
const CLIENT_GONE = 499;
/** Browsers by themselves send a request again that is answered so, a create among them. */
const REQUEST_TIMEOUT = 408;
const GATEWAY_TIMEOUT = 504;
/** No `Response` can have a greater one. */
const MAX_STATUS = 599;

/** On every answer. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-type': 'application/json',
  'x-content-type-options': 'nosniff',
  vary: 'origin',
};

export function createRelay(options) {
  const settings = readOptions(options);
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

  const routes = hub && createHubRoutes(hub, { references, need, refused });

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
    if (route.name === 'picture') return routes.picture(task, route.index);
    if (routes?.has(task)) return routes.look(task, route.reference, request, event);
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

/** An answer as plain JSON, which a store can keep. */
function json(status, body, { requestId, rateLimit } = {}) {
  const headers = {};
  if (requestId) headers['x-request-id'] = requestId;
  for (const [name, value] of Object.entries(rateLimit ?? {})) {
    if (value !== undefined) headers[`x-ratelimit-${name}`] = String(value);
  }
  return { status, headers, body: JSON.stringify(body) };
}
