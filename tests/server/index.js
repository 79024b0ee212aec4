/**
 * A LemonData-compatible HTTP server for tests and for trying the package without an account: see README.md.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { describeBody, parseBody, readBody } from './body.js';
import {
  errorReply,
  invalidKey,
  Refusal,
  taskNotFound,
  taskNotOwned,
  unsupportedParameter,
  withoutCode,
} from './errors.js';
import { listModels, showModel } from './models.js';
import { drawPicture } from './picture.js';
import { sendReply } from './reply.js';
import {
  BILLING,
  includes,
  NO_ASYNC,
  parseScenarios,
  TYPE_ONLY,
  traitsOf,
  Uses,
  wantsTask,
} from './scenarios.js';
import { billingOf, newBillingId, Tasks } from './tasks.js';
import { parseCreate, SCENARIO_MODEL_PREFIX } from './validate.js';

/** The key that the server accepts by default. */
export const TEST_KEY = 'sk-test-0123456789abcdef';

/** How many requests `counts.requests` keeps, so that a server left running does not grow. */
const MAX_RECORDS = 1000;

const RATE_LIMIT = 1000;
const RATE_WINDOW_MS = 60_000;

const EXPOSED_HEADERS = [
  'Retry-After',
  'X-Request-ID',
  'X-Task-ID',
  'X-Billing-Transaction-ID',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
];

/** @typedef {import('./errors.js').Reply} Reply */
/** @typedef {import('./reply.js').Env} Env */
/** @typedef {import('./reply.js').Context} Context */
/** @typedef {'create' | 'poll' | 'cancel' | 'models' | 'file' | 'health'} Kind */

/**
 * @typedef {object} Options
 * @property {number} [port] default 0: any free one
 * @property {string} [apiKey] default `TEST_KEY`
 * @property {string[]} [otherKeys] further keys that it accepts; no key may poll a task of another
 * @property {boolean} [isStrict] whether it is as strict as the service of 2026, default false: a create needs a model,
 *   and holds nothing that its model does not take; answers say what was billed
 * @property {number} [taskMs] the whole time that a task takes, default 6000
 * @property {number} [inlineMs] the delay of inline answers, default 0
 * @property {import('./tasks.js').PollPath} [pollPath] default `images`
 * @property {boolean | string[]} [cors] default false; true for any origin, or the exact origins
 * @property {number} [retryAfter] the seconds that 429 and 503 scenarios ask for, default 1
 * @property {string} [foreignOrigin] where `redirect` and `foreign-poll-url` point
 * @property {() => number} [now] the clock, default `Date.now`
 * @property {(line: string) => void} [log] called with one line per request
 * @property {(record: RequestRecord) => void} [onRequest] called for each request before it is answered
 */

/**
 * @typedef {object} RequestRecord
 * @property {string} id the `x-request-id` of the answer
 * @property {string} method
 * @property {string} path with its query
 * @property {Record<string, string | string[] | undefined>} headers names in lower case
 * @property {unknown} body parsed when it is JSON or a form, else text; undefined when there is none. A file of a form
 *   is `{filename, type, size, sha256}`, in a list for its name
 * @property {number} at milliseconds since 1970
 * @property {number} [status] of the answer; missing while there is none, or when it was cut off
 */

/**
 * @typedef {object} Counts
 * @property {number} creates generations and edits
 * @property {number} edits
 * @property {number} polls
 * @property {number} cancels
 * @property {number} models
 * @property {number} files
 * @property {number} health
 * @property {number} preflights
 * @property {number} rejected requests answered with a status of 400 or more
 * @property {number} aborted requests whose client left before the answer was complete
 * @property {number} keyLeaks requests for a picture with an Authorization header, and preflights for one
 * @property {RequestRecord[]} requests the latest thousand
 */

/**
 * A reply to be sent instead of the server's own, before anything of the request is checked.
 *
 * @typedef {object} Script
 * @property {Kind} on
 * @property {number} [times] default 1
 * @property {Reply} reply
 */

/**
 * @typedef {object} Server
 * @property {string} url without a trailing slash
 * @property {number} port
 * @property {string} apiKey
 * @property {Counts} counts
 * @property {Tasks} tasks
 * @property {(script: Script) => void} next queues a scripted reply
 * @property {() => void} reset forgets tasks, pictures, counts, scripts and the limits of scenarios
 * @property {() => Promise<void>} close ends all connections at once
 */

/**
 * Starts a server on 127.0.0.1.
 *
 * @param {Options} [options]
 * @returns {Promise<Server>}
 */
export async function startServer(options = {}) {
  const {
    port = 0,
    apiKey = TEST_KEY,
    otherKeys = [],
    isStrict = false,
    taskMs = 6000,
    inlineMs = 0,
    pollPath = 'images',
    retryAfter = 1,
    foreignOrigin = 'https://foreign.example',
    now = Date.now,
    log = () => {},
    onRequest = () => {},
  } = options;

  const counts = emptyCounts();
  const tasks = new Tasks({ now, taskMs, pollPath });
  const uses = new Uses();
  /** @type {Map<string, import('./picture.js').Picture>} */
  const files = new Map();
  /** @type {Required<Script>[]} */
  const scripts = [];
  const rate = { windowEnds: 0, used: 0 };
  const closing = new AbortController();
  let url = '';

  const app = /** @type {Hono<Env>} */ (new Hono());
  const send = (/** @type {Context} */ c, /** @type {Reply} */ reply) => sendReply(c, reply, closing.signal);

  app.use(async (c, next) => {
    const { incoming, outgoing } = c.env;
    const bytes = await readBody(incoming).catch(() => undefined);
    if (bytes === undefined) {
      counts.aborted += 1;
      return RESPONSE_ALREADY_SENT;
    }
    /** @type {RequestRecord} */
    const record = {
      id: `req_${randomBytes(12).toString('hex')}`,
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      headers: incoming.headers,
      body: describeBody(incoming.headers['content-type'], bytes),
      at: now(),
    };
    c.set('bytes', bytes);
    counts.requests.push(record);
    counts.requests.splice(0, counts.requests.length - MAX_RECORDS);
    if (isPreflight(record)) {
      counts.preflights += 1;
    }
    outgoing.on('close', () => {
      // A reply that breaks the connection on purpose is not the client's doing.
      if (!outgoing.writableFinished && !c.get('broken')) {
        counts.aborted += 1;
      }
    });
    onRequest(record);

    c.set('requestId', record.id);
    c.header('x-request-id', record.id);
    c.header('cache-control', 'no-store');
    setRateLimit(c);
    await next();

    if (!c.get('broken')) {
      record.status = c.res.status;
      counts.rejected += record.status >= 400 ? 1 : 0;
    }
    log(`${record.method} ${record.path} ${record.status ?? 'no answer'} ${now() - record.at} ms`);
  });

  // A picture is public, and any page may read it. The API itself is for the origins that were chosen.
  app.use('/files/*', async (c, next) => {
    const requested = c.req.header('access-control-request-headers') ?? '';
    if (c.req.header('authorization') !== undefined || /\bauthorization\b/i.test(requested)) {
      counts.keyLeaks += 1;
    }
    await next();
  });
  app.use('/files/*', cors({ origin: '*', allowMethods: ['GET', 'HEAD'], exposeHeaders: EXPOSED_HEADERS }));
  if (options.cors) {
    const origin = options.cors === true ? '*' : options.cors;
    const policy = cors({ origin, allowMethods: ['GET', 'POST', 'DELETE'], exposeHeaders: EXPOSED_HEADERS });
    app.use('/v1/*', policy);
    app.use('/health', policy);
  }

  app.onError((error, c) => {
    console.error(error);
    return send(c, errorReply(500, 'server_error', 'The test server itself failed'));
  });

  app.notFound((c) => {
    return send(
      c,
      errorReply(404, 'not_found', `There is no ${c.req.path}`, { type: 'invalid_request_error' }),
    );
  });

  /** @type {Map<string, string[]>} */
  const methods = new Map();

  /**
   * @param {Kind} kind
   * @param {Exclude<keyof Counts, 'requests'>[]} counters
   * @param {string} method
   * @param {string} path
   * @param {(c: Context) => Reply} handle
   */
  function route(kind, counters, method, path, handle) {
    methods.set(path, [...(methods.get(path) ?? []), method]);
    app.on(method, path, async (c) => {
      for (const counter of counters) {
        counts[counter] += 1;
      }
      const reply = takeScript(kind) ?? replyOf(c, handle);
      return send(c, c.get('isTypeOnly') ? withoutCode(reply) : reply);
    });
  }

  /**
   * @param {Context} c
   * @param {(c: Context) => Reply} handle
   */
  function replyOf(c, handle) {
    try {
      return handle(c);
    } catch (error) {
      if (error instanceof Refusal) {
        return error.reply;
      }
      throw error;
    }
  }

  /**
   * @param {Context} c
   * @param {boolean} isEdit
   * @returns {Reply}
   */
  function create(c, isEdit) {
    const owner = requireKey(c);
    const fromHeader = scenariosOf(c, c.req.header('x-lemon-scenario'));
    const body = parseBody(c.req.header('content-type'), c.get('bytes'));
    const request = parseCreate(body, { isEdit, isStrict, pictureAt });
    const { model, prompt, n } = request;
    const fromModel = model.startsWith(SCENARIO_MODEL_PREFIX)
      ? model.slice(SCENARIO_MODEL_PREFIX.length)
      : undefined;
    const scenarios = [...fromHeader, ...scenariosOf(c, fromModel)];
    if (request.isAsync && includes(scenarios, NO_ASYNC)) {
      throw new Refusal(unsupportedParameter(model, 'async', {}));
    }
    const onCreate = scenarios.filter(({ on }) => on === 'create');
    const { delay, reply } = uses.take(onCreate, 'create', contextOf(c));
    if (reply) {
      return { delay, ...reply };
    }
    const showsBilling = isStrict || includes(scenarios, BILLING);
    if (!(wantsTask(scenarios) ?? (request.isTask || request.isAsync))) {
      const billingId = newBillingId();
      return {
        delay: inlineMs + delay,
        headers: { 'X-Billing-Transaction-ID': billingId },
        body: {
          created: Math.floor(now() / 1000),
          data: makeImages(request),
          ...(showsBilling && billingOf(billingId)),
        },
      };
    }
    /** @type {Record<string, unknown>[] | undefined} */
    let images;
    const task = tasks.start({
      prompt,
      n,
      owner,
      traits: { showsBilling, ...traitsOf(scenarios, contextOf(c)) },
      scenarios: scenarios.filter(({ on }) => on === 'poll'),
      images: () => {
        images ??= makeImages(request);
        return images;
      },
    });
    return { delay, headers: headersOf(task), body: tasks.describe(task) };
  }

  route('create', ['creates'], 'POST', '/v1/images/generations', (c) => create(c, false));
  route('create', ['creates', 'edits'], 'POST', '/v1/images/edits', (c) => create(c, true));

  /**
   * @param {Context} c
   * @param {boolean} imagesOnly whether the path is the older one, which knows image ids only
   * @returns {Reply}
   */
  function poll(c, imagesOnly) {
    const key = requireKey(c);
    const id = c.req.param('id') ?? '';
    const task = tasks.get(id);
    const fromHeader = scenariosOf(c, c.req.header('x-lemon-scenario')).filter(({ on }) => on === 'poll');
    const scenarios = fromHeader.length > 0 ? fromHeader : (task?.scenarios ?? []);
    c.set('isTypeOnly', includes(scenarios, TYPE_ONLY));
    const { delay, reply } = uses.take(scenarios, id, contextOf(c));
    if (reply) {
      return { delay, ...reply };
    }
    if (!task || (imagesOnly && !id.startsWith('img_'))) {
      return taskNotFound();
    }
    if (isForeign(task, key)) {
      return taskNotOwned();
    }
    const body = tasks.poll(task);
    return body === null ? taskNotFound() : { delay, headers: headersOf(task), body };
  }

  route('poll', ['polls'], 'GET', '/v1/images/generations/:id', (c) => poll(c, true));
  route('poll', ['polls'], 'GET', '/v1/tasks/:id', (c) => poll(c, false));
  // Every id has an underscore; the other routes of images have none.
  route('poll', ['polls'], 'GET', '/v1/images/:id{[^/]*_[^/]*}', (c) => poll(c, false));

  route('cancel', ['cancels'], 'DELETE', '/v1/tasks/:id', (c) => {
    const key = requireKey(c);
    const task = tasks.get(c.req.param('id') ?? '');
    if (!task) {
      return taskNotFound();
    }
    if (isForeign(task, key)) {
      return taskNotOwned();
    }
    const type = 'invalid_request_error';
    return tasks.isOver(task)
      ? errorReply(409, 'task_not_cancellable', 'This task is over', { type })
      : errorReply(400, 'unsupported_task_cancel', 'Tasks of this model cannot be cancelled', { type });
  });

  route('models', ['models'], 'GET', '/v1/models', (c) => {
    requireNoWrongKey(c);
    return listModels(c.req.query());
  });
  route('models', ['models'], 'GET', '/v1/models/:id', (c) => {
    requireNoWrongKey(c);
    return showModel(c.req.param('id') ?? '');
  });

  route('file', ['files'], 'GET', '/files/:name', (c) => {
    const type = 'invalid_request_error';
    if (c.req.header('authorization') !== undefined) {
      return errorReply(400, 'unexpected_key', 'A picture is public: do not send the key here', { type });
    }
    const picture = files.get(c.req.param('name') ?? '');
    return picture
      ? { headers: { 'content-type': 'image/png' }, body: drawPicture(picture) }
      : errorReply(404, 'not_found', 'There is no such picture', { type });
  });

  route('health', ['health'], 'GET', '/health', () => ({ body: { status: 'ok' } }));

  for (const [path, allowed] of methods) {
    app.all(path, (c) => {
      const message = `${c.req.method} is not allowed here`;
      const hints = { type: 'invalid_request_error' };
      return send(c, errorReply(405, 'method_not_allowed', message, hints, { allow: allowed.join(', ') }));
    });
  }

  const http = createServer(
    // The adapter would otherwise replace the global Request and Response of the process under test.
    getRequestListener(app.fetch, { overrideGlobalObjects: false }),
  );
  http.listen(port, '127.0.0.1');
  await once(http, 'listening');
  const address = /** @type {import('node:net').AddressInfo} */ (http.address());
  url = `http://127.0.0.1:${address.port}`;

  return {
    url,
    port: address.port,
    apiKey,
    counts,
    tasks,
    next(script) {
      scripts.push({ times: 1, ...script });
    },
    reset() {
      tasks.clear();
      files.clear();
      uses.clear();
      scripts.length = 0;
      Object.assign(rate, { windowEnds: 0, used: 0 });
      Object.assign(counts, emptyCounts());
    },
    async close() {
      closing.abort();
      const closed = once(http, 'close');
      http.close();
      http.closeAllConnections();
      await closed;
    },
  };

  /**
   * The key of a request.
   *
   * @param {Context} c
   */
  function requireKey(c) {
    const key = /^Bearer (.*)$/.exec(c.req.header('authorization') ?? '')?.[1];
    if (key === undefined || ![apiKey, ...otherKeys].includes(key)) {
      throw new Refusal(invalidKey());
    }
    return key;
  }

  /**
   * The list of models is public, but a key that is sent has to be right.
   *
   * @param {Context} c
   */
  function requireNoWrongKey(c) {
    if (c.req.header('authorization') !== undefined) {
      requireKey(c);
    }
  }

  /**
   * @param {import('./tasks.js').Task} task
   * @param {string} key
   */
  function isForeign({ owner }, key) {
    return owner !== undefined && owner !== key;
  }

  /**
   * @param {import('./tasks.js').Task} task
   * @returns {Record<string, string>}
   */
  function headersOf(task) {
    return { 'X-Task-ID': task.id, 'X-Billing-Transaction-ID': task.billingId };
  }

  /**
   * @param {Context} c
   * @param {string | undefined} text that names them
   */
  function scenariosOf(c, text) {
    const scenarios = text === undefined ? [] : parseScenarios(text);
    if (scenarios.some(({ name, on }) => name === TYPE_ONLY && on === 'create')) {
      c.set('isTypeOnly', true);
    }
    return scenarios;
  }

  /** @param {Context} c */
  function contextOf(c) {
    return { path: c.req.path, requestId: c.get('requestId'), apiKey, retryAfter, foreignOrigin, now };
  }

  /** @param {Kind} kind */
  function takeScript(kind) {
    const index = scripts.findIndex(({ on }) => on === kind);
    if (index < 0) {
      return undefined;
    }
    const script = scripts[index];
    script.times -= 1;
    if (script.times <= 0) {
      scripts.splice(index, 1);
    }
    return script.reply;
  }

  /** @param {import('./validate.js').CreateRequest} request */
  function makeImages({ prompt, model, n, width, height, base64, references, mask }) {
    return Array.from({ length: n }, (_, index) => {
      const picture = { prompt, model, index, width, height, references, mask };
      const revised_prompt = `${prompt.trim()}, in soft light`;
      if (base64) {
        return { b64_json: drawPicture(picture).toString('base64'), revised_prompt };
      }
      const name = `${randomBytes(12).toString('hex')}.png`;
      files.set(name, picture);
      return { url: `${url}/files/${name}`, revised_prompt };
    });
  }

  /** @param {string} address */
  function pictureAt(address) {
    const name = address.startsWith(`${url}/files/`) ? address.slice(`${url}/files/`.length) : '';
    const picture = files.get(name);
    return picture && drawPicture(picture);
  }

  /** @param {Context} c */
  function setRateLimit(c) {
    if (now() >= rate.windowEnds) {
      rate.windowEnds = now() + RATE_WINDOW_MS;
      rate.used = 0;
    }
    rate.used += 1;
    c.header('X-RateLimit-Limit', `${RATE_LIMIT}`);
    c.header('X-RateLimit-Remaining', `${Math.max(0, RATE_LIMIT - rate.used)}`);
    c.header('X-RateLimit-Reset', `${Math.ceil(rate.windowEnds / 1000)}`);
  }
}

/** @returns {Counts} */
function emptyCounts() {
  return {
    creates: 0,
    edits: 0,
    polls: 0,
    cancels: 0,
    models: 0,
    files: 0,
    health: 0,
    preflights: 0,
    rejected: 0,
    aborted: 0,
    keyLeaks: 0,
    requests: [],
  };
}

/** @param {RequestRecord} record */
function isPreflight({ method, headers }) {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}
