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
import { errorReply, invalidKey, Refusal, taskNotFound } from './errors.js';
import { drawPicture } from './picture.js';
import { sendReply } from './reply.js';
import { parseScenarios, traitsOf, Uses, wantsTask } from './scenarios.js';
import { Tasks } from './tasks.js';
import { MAX_BODY_BYTES, MODELS, parseBody, parseCreate, SCENARIO_MODEL_PREFIX } from './validate.js';

/** The key that the server accepts unless it is told another. */
export const TEST_KEY = 'sk-test-0123456789abcdef';

/** How many requests `counts.requests` keeps, so that a server left running does not grow. */
const MAX_RECORDS = 1000;

const RATE_LIMIT = 1000;
const RATE_WINDOW_MS = 60_000;

const EXPOSED_HEADERS = [
  'Retry-After',
  'x-request-id',
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
 * @property {unknown} body parsed when it is JSON, else text; undefined when there is none
 * @property {number} at milliseconds since 1970
 * @property {number} [status] of the answer; missing while there is none, or when it was cut off
 */

/**
 * @typedef {object} Counts
 * @property {number} creates
 * @property {number} polls
 * @property {number} cancels
 * @property {number} models
 * @property {number} files
 * @property {number} health
 * @property {number} preflights
 * @property {number} rejected requests answered with a status of 400 or more
 * @property {number} aborted requests whose client left before the answer was complete
 * @property {number} keyLeaks requests for a picture that carried, or asked to carry, an Authorization header
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
      body: readable(bytes),
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
    const asked = c.req.header('access-control-request-headers') ?? '';
    if (c.req.header('authorization') !== undefined || /\bauthorization\b/i.test(asked)) {
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
    if (error instanceof Refusal) {
      return send(c, error.reply);
    }
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
   * @param {Exclude<keyof Counts, 'requests'>} counter
   * @param {string} method
   * @param {string} path
   * @param {(c: Context) => Reply | Promise<Reply>} handle
   */
  function route(kind, counter, method, path, handle) {
    methods.set(path, [...(methods.get(path) ?? []), method]);
    app.on(method, path, async (c) => {
      counts[counter] += 1;
      return send(c, takeScript(kind) ?? (await handle(c)));
    });
  }

  route('create', 'creates', 'POST', '/v1/images/generations', async (c) => {
    requireKey(c);
    const body = parseBody(c.req.header('content-type'), c.get('bytes'));
    const request = parseCreate(body);
    const scenarios = [...scenariosOf(c), ...scenariosOfModel(request.model)];
    const onCreate = scenarios.filter(({ on }) => on === 'create');
    const { delay, reply } = uses.take(onCreate, 'create', contextOf(c));
    if (reply) {
      return { delay, ...reply };
    }
    const isTask = wantsTask(scenarios) ?? MODELS.get(request.model) === 'task';
    if (!isTask) {
      return {
        delay: inlineMs + delay,
        body: { created: Math.floor(now() / 1000), data: makeImages(request) },
      };
    }
    /** @type {Record<string, unknown>[] | undefined} */
    let images;
    const task = tasks.start({
      prompt: request.prompt,
      n: request.n,
      traits: traitsOf(scenarios, contextOf(c)),
      scenarios: scenarios.filter(({ on }) => on === 'poll'),
      images: () => {
        images ??= makeImages(request);
        return images;
      },
    });
    return { delay, body: tasks.describe(task) };
  });

  /**
   * @param {Context} c
   * @param {boolean} imagesOnly whether the path is the older one, which knows image ids only
   * @returns {Reply}
   */
  function poll(c, imagesOnly) {
    requireKey(c);
    const id = c.req.param('id') ?? '';
    const task = tasks.get(id);
    const asked = scenariosOf(c).filter(({ on }) => on === 'poll');
    const { delay, reply } = uses.take(asked.length > 0 ? asked : (task?.scenarios ?? []), id, contextOf(c));
    if (reply) {
      return { delay, ...reply };
    }
    const hidden = imagesOnly && !id.startsWith('img_');
    const body = task && !hidden ? tasks.poll(task) : null;
    return body === null ? taskNotFound() : { delay, body };
  }

  route('poll', 'polls', 'GET', '/v1/images/generations/:id', (c) => poll(c, true));
  route('poll', 'polls', 'GET', '/v1/tasks/:id', (c) => poll(c, false));

  route('cancel', 'cancels', 'DELETE', '/v1/tasks/:id', (c) => {
    requireKey(c);
    const task = tasks.get(c.req.param('id') ?? '');
    if (!task) {
      return taskNotFound();
    }
    const type = 'invalid_request_error';
    return tasks.isOver(task)
      ? errorReply(409, 'task_not_cancellable', 'This task is over', { type })
      : errorReply(400, 'unsupported_task_cancel', 'Tasks of this model cannot be cancelled', { type });
  });

  route('models', 'models', 'GET', '/v1/models', (c) => {
    requireKey(c);
    const data = [...MODELS.keys()].map((id) => ({
      id,
      object: 'model',
      created: 1706000000,
      owned_by: 'lemondata',
    }));
    return { body: { object: 'list', data } };
  });

  route('file', 'files', 'GET', '/files/:name', (c) => {
    const type = 'invalid_request_error';
    if (c.req.header('authorization') !== undefined) {
      return errorReply(400, 'unexpected_key', 'A picture is public: do not send the key here', { type });
    }
    const picture = files.get(c.req.param('name') ?? '');
    return picture
      ? { headers: { 'content-type': 'image/png' }, body: drawPicture(picture) }
      : errorReply(404, 'not_found', 'There is no such picture', { type });
  });

  route('health', 'health', 'GET', '/health', () => ({ body: { status: 'ok' } }));

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

  /** @param {Context} c */
  function requireKey(c) {
    if (c.req.header('authorization') !== `Bearer ${apiKey}`) {
      throw new Refusal(invalidKey());
    }
  }

  /** @param {Context} c */
  function scenariosOf(c) {
    const text = c.req.header('x-lemon-scenario');
    return text === undefined ? [] : parseScenarios(text);
  }

  /** @param {string} model */
  function scenariosOfModel(model) {
    return model.startsWith(SCENARIO_MODEL_PREFIX)
      ? parseScenarios(model.slice(SCENARIO_MODEL_PREFIX.length))
      : [];
  }

  /** @param {Context} c */
  function contextOf(c) {
    return { path: c.req.path, apiKey, retryAfter, foreignOrigin, now };
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
  function makeImages({ prompt, model, n, width, height, base64 }) {
    return Array.from({ length: n }, (_, index) => {
      const picture = { prompt, model, index, width, height };
      const revised_prompt = `${prompt.trim()}, in soft light`;
      if (base64) {
        return { b64_json: drawPicture(picture).toString('base64'), revised_prompt };
      }
      const name = `${randomBytes(12).toString('hex')}.png`;
      files.set(name, picture);
      return { url: `${url}/files/${name}`, revised_prompt };
    });
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

/**
 * Reads a request to its end, so that the client has sent all of it before it is answered; keeps what is
 * allowed.
 *
 * @param {import('node:http').IncomingMessage} incoming
 * @returns {Promise<Buffer | null>} null when there was too much
 */
async function readBody(incoming) {
  const chunks = [];
  let length = 0;
  for await (const chunk of incoming) {
    length += chunk.length;
    if (length <= MAX_BODY_BYTES) {
      chunks.push(chunk);
    }
  }
  return length <= MAX_BODY_BYTES ? Buffer.concat(chunks) : null;
}

/**
 * A body as a test wants to look at it.
 *
 * @param {Buffer | null} bytes
 */
function readable(bytes) {
  if (bytes === null || bytes.length === 0) {
    return undefined;
  }
  const text = bytes.toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
