/**
 * The relay: the server part that holds the key, so that a web page never does. It is a function from `Request` to
 * `Response`. It lets through what its options allow, to one upstream and a few routes. A client can choose none of
 * them.
 */

import { addressNotices, ownerOf } from './anonymous.js';
import { ANSWER, createAnswers } from './answers.js';
import { readBody, readOn } from './bodies.js';
import { createCaller } from './callbacks.js';
import { conditional } from './conditional.js';
import { createConsoleLog } from './console-log.js';
import { digest, fingerprintOf } from './digest.js';
import { createHubRoutes } from './hub.js';
import { checkIdentity } from './identity.js';
import { createKeyedCreates } from './keyed-creates.js';
import { readOptions } from './options.js';
import { createOrigins } from './origins.js';
import { createReferences } from './references.js';
import { MAX_SHOWN_PATH, noRoute, noStore, notFound, REFUSAL, Refusal, tooMany } from './refusal.js';
import { checkFallback, checkRequest } from './requests.js';
import { routeOf } from './routes.js';
import { createService } from './service.js';
import { LONGEST_TIMER_MS } from './settings.js';
import { TRACE_HEADERS, traceOf } from './tracing.js';

/** Pages of other sites may show pictures, and monitors the health. */
const EMBEDDABLE = ['picture', 'health'];

/** What the client package allows a create by default. */
const CREATE_TIMEOUT_MS = 300_000;

/** On every answer. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-type': 'application/json',
  'x-content-type-options': 'nosniff',
  vary: 'origin',
};

/** A proxy or a compressing middleware would otherwise collect events before it passes them on. */
const STREAM_HEADERS = { 'cache-control': 'no-store, no-transform', 'x-accel-buffering': 'no' };

const ANY_METHOD = 'GET, POST, OPTIONS';

const NO_REQUEST =
  'A relay takes a web Request, but was called with something else. Mount it by an adapter of lemondata-wasm/relay: ' +
  "toNodeHandler(relay) for Node's http, https and http2, Express, Fastify and Koa, toHono(relay) for Hono, " +
  'toNextRoute(relay) for Next.js, toCloudflare((env) => relay) for Cloudflare.';

/** Whether this is a web `Request`, of any implementation. */
const isRequest = (request) => typeof request?.headers?.get === 'function' && typeof request.url === 'string';

export function createRelay(options) {
  const settings = readOptions(options);
  const { authorize, limiter, store, hub, user, logPrompts, now, callbackTimeoutMs } = settings;
  const origins = createOrigins(settings.allowedOrigins, {
    ...settings,
    allowedHeaders: [...settings.allowedHeaders, ...(settings.tracing ? TRACE_HEADERS : [])],
  });
  const references = createReferences(settings.secrets, { ...settings, kind: hub ? 'hub' : 'task' });
  const answers = createAnswers();
  const writeLog = settings.log ?? createConsoleLog({ now, redact: answers.redactError });
  const callOrRefuse = createCaller(log, callbackTimeoutMs);
  const createTimeoutMs = Math.min(
    (settings.requestTimeout ?? CREATE_TIMEOUT_MS) + callbackTimeoutMs,
    LONGEST_TIMER_MS,
  );
  const service = createService(settings, { references, answers, log });
  const carryOut = createKeyedCreates({ store, now, createTimeoutMs, callOrRefuse, failed });
  const hubRoutes =
    hub &&
    createHubRoutes(hub, {
      references,
      callOrRefuse: (name, work) => callOrRefuse(name, work, createTimeoutMs),
      answerTo: service.answerTo,
      showCosts: settings.showCosts,
    });

  return Object.assign(relay, { [ANSWER]: answer });

  function relay(request, context) {
    // Most frameworks leave a request without an answer if a promise rejects.
    if (!isRequest(request)) throw new TypeError(NO_REQUEST);
    return respond(request, context);
  }

  async function respond(request, context) {
    const { body, ...init } = await answer(request, context);
    await readOn(request);
    return new Response(body, init);
  }

  /**
   * Answers a request, whatever happens.
   *
   * @returns {Promise<import('./answers.js').WholeAnswer>}
   */
  async function answer(request, context) {
    const started = now();
    const event = { event: 'request', method: request.method, route: 'none' };
    const headers = {};
    let found;
    try {
      found = await handle(request, context, event, headers);
    } catch (error) {
      found = error instanceof Refusal ? refused(error, event) : failed(error);
    }
    log({ ...event, status: found.status, durationMs: now() - started });
    const isStream = found.headers['content-type'] === 'text/event-stream';
    return {
      status: found.status,
      webSocket: found.webSocket,
      headers: { ...HEADERS, ...found.headers, ...(isStream && STREAM_HEADERS), ...headers },
      body: found.body,
    };
  }

  async function handle(request, context, event, headers) {
    // First of all: a page cannot tell a refusal that it may not read from a relay that is not there.
    const page = origins.judge(request);
    Object.assign(headers, page.headers);
    if (context?.[REFUSAL]) throw context[REFUSAL];
    const route = routeOf(request.url, Boolean(hub));
    event.route = route?.name ?? 'none';
    if (!route) {
      event.path = new URL(request.url).pathname.slice(0, MAX_SHOWN_PATH);
      // The page gets to the refusal once its preflight has passed.
      if (request.method === 'OPTIONS' && page.mayCall) return preflight(request, ANY_METHOD, headers);
      throw noRoute(request.method, event.path);
    }
    page.check(EMBEDDABLE.includes(route.name));
    const methods = [...route.methods, 'OPTIONS'].join(', ');
    if (request.method === 'OPTIONS') return preflight(request, methods, headers);
    if (!route.methods.includes(request.method)) {
      throw new Refusal(405, 'method_not_allowed', 'That method is not allowed here.', {
        headers: { allow: methods },
      });
    }
    if (route.name === 'health') return answers.json(200, { status: 'ok' });

    const trace = settings.tracing ? traceOf(request) : undefined;
    if (trace) event.traceparent = trace.traceparent;
    const identity = await identify(request, context);
    event.identity = identity;
    const owner = ownerOf(request, identity);
    const isEdit = route.name === 'edit';
    const isCreate = isEdit || route.name === 'create';
    await checkLimit(identity, isCreate ? 'create' : 'poll');
    if (isCreate) return create(request, context, { identity, owner, isEdit, trace }, event);
    if (route.name === 'models') return service.models(request, event);
    const task = await references.read(route.reference, owner);
    if (!task) throw notFound();
    if (route.name === 'picture') {
      return conditional(request, await hubRoutes.picture(task, Number(route.index)));
    }
    if (hubRoutes) return hubRoutes.getTask(task, route.reference, request, event);
    return service.poll(task, route.reference, request, trace, event);
  }

  function preflight(request, methods, headers) {
    Object.assign(headers, origins.preflight(request, methods));
    const notice = origins.preflightNotice(request);
    if (notice) log({ event: 'refused', code: 'header_not_allowed', message: notice });
    return { status: 204, headers: {}, body: null };
  }

  /** The caller's identity, which is a text, or a refusal. */
  async function identify(request, context) {
    const identity = await callOrRefuse('authorize', async () =>
      checkIdentity(await authorize(request, context)),
    );
    const notice = addressNotices.get(request);
    if (!identity) {
      throw new Refusal(401, 'unauthorized', 'You are not signed in to this relay.', {
        hint: 'Sign in, and send what the relay looks at, such as a cookie or a header.',
        notice,
      });
    }
    if (notice) log({ event: 'misconfigured', code: 'proxy_unknown', message: notice });
    return identity;
  }

  async function checkLimit(identity, kind) {
    const waitMs = await callOrRefuse('limiter', async () => {
      const ms = limiter ? await limiter.take(identity, kind) : 0;
      // Anything but a time would switch the limiter off.
      if (typeof ms === 'number' && ms >= 0) return ms;
      throw new TypeError(`The limiter must return milliseconds or 0, but returned ${String(ms)}.`);
    });
    if (waitMs > 0) throw tooMany(kind, limiter.limits?.[kind], waitMs);
  }

  /** The `user` that the service gets. */
  async function userOf(identity) {
    const name = await user(identity);
    if (name === undefined || typeof name === 'string') return name;
    throw new TypeError(`createRelay: user must return a text or undefined, but returned ${typeof name}.`);
  }

  async function create(request, context, { identity, owner, isEdit, trace }, event) {
    const idempotencyKey = readIdempotencyKey(request);
    const body = await readBody(request, settings);
    const { files } = body;
    const userName = await callOrRefuse('user', () => userOf(identity));
    const fields = checkRequest(body, userName, isEdit, settings);
    // Without a hub, the client itself goes on to the next model.
    const fallback = hubRoutes ? checkFallback(body, fields.model, settings) : [];
    event.model = fields.model;
    if (logPrompts) event.prompt = fields.prompt;

    const hasKey = idempotencyKey !== null;
    const key = hasKey ? await digest([owner, idempotencyKey]) : undefined;
    // The same request may have another name of its user: that may depend on the address, or on the day.
    const { user: _, ...content } = fallback.length > 0 ? { ...fields, fallback } : fields;
    const fingerprint =
      hasKey || hubRoutes ? await fingerprintOf({ isEdit, fields: content, files }) : undefined;
    if (hubRoutes) {
      const order = { key, fingerprint, identity, request: fields, isEdit, files, fallback, trace };
      return hubRoutes.create(order, owner, request, event);
    }
    const send = () => service.create({ isEdit, fields, files, owner, trace }, event);
    // A client that leaves does not end its create: it may have been billed, and its answer is still wanted.
    const answering = hasKey ? createOnce({ key, fingerprint }, send, event) : send();
    context?.waitUntil?.(answering.catch(() => {}));
    return answering;
  }

  function readIdempotencyKey({ headers }) {
    const key = headers.get('idempotency-key');
    if (key === null) return null;
    if (!store && !hub) throw noStore();
    if (/^[!-~]{1,255}$/.test(key)) return key;
    const message = 'Idempotency-Key must be 1 to 255 visible characters.';
    throw new Refusal(400, 'invalid_request_error', message, { param: 'idempotencyKey' });
  }

  async function createOnce({ key, fingerprint }, send, event) {
    const { answer, isRepeated } = await carryOut(key, fingerprint, send);
    event.repeated = isRepeated || undefined;
    return answer;
  }

  function refused(refusal, event) {
    event.code = refusal.error.code;
    if (refusal.notice) log({ event: 'refused', code: event.code, message: refusal.notice });
    return refusal.toAnswer();
  }

  /** The answer to a bug or another error that no code expects. It shows nothing of the error. */
  function failed(error) {
    log({ event: 'failed', error });
    return answers.json(500, {
      error: { message: 'The relay itself failed.', type: 'relay_error', code: 'server_error' },
    });
  }

  /** A log that fails must not fail the request. */
  function log(event) {
    try {
      writeLog(event);
    } catch {}
  }
}
