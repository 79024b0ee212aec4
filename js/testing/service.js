/**
 * The service without a transport: a request in, an answer out. `index.js` puts `fetch` in front of it, `serve.js` HTTP.
 */
import { describeBody, parseBody } from './body.js';
import { randomHex, toBase64 } from './bytes.js';
import { withModels } from './catalogue.js';
import { corsHeaders } from './cors.js';
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

/** The key of a service that has no other. */
export const TEST_KEY = 'sk-test-0123456789abcdef';

/** How many requests are kept, so that a server left running does not grow. */
const MAX_RECORDS = 1000;

const RATE_LIMIT = 1000;
const RATE_WINDOW_MS = 60_000;

/** Where pictures are. */
const FILES = '/files/';

/** @typedef {import('./errors.js').Reply} Reply */
/** @typedef {import('./index.js').MockRequest} MockRequest */
/** @typedef {import('./index.js').MockRequestKind} Kind */

/**
 * @typedef {import('./index.js').MockServiceOptions & {
 *   cors?: boolean | readonly string[],
 *   otherKeys?: string[],
 *   foreignOrigin?: string,
 *   log?: (line: string) => void,
 *   decodePng?: import('./references.js').DecodePng,
 * }} Options `otherKeys` are accepted, too, and no key may poll a task of another; `foreignOrigin` is where the scenarios
 *   `redirect` and `foreign-poll-url` point
 */

/**
 * @typedef {object} Incoming
 * @property {string} method
 * @property {string} path with its query
 * @property {MockRequest['headers']} headers
 * @property {Uint8Array | null} bytes null for a body that is too large
 * @property {string} url what the addresses of pictures begin with
 */

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {Headers} headers
 * @property {string | Uint8Array<ArrayBuffer> | null} body
 * @property {'hang' | 'reset' | 'cut'} [fault] no answer, ever; no answer and no connection; an answer that ends in its body
 */

/**
 * A request while it is answered.
 *
 * @typedef {object} Call
 * @property {MockRequest} record
 * @property {string} path without its query
 * @property {URLSearchParams} query
 * @property {string} id the last segment of the path
 * @property {Uint8Array | null} bytes
 * @property {string} url
 * @property {string} [scenario] that a script selects for it
 * @property {boolean} [isTypeOnly] whether its error has no code
 */

/**
 * What is counted, by route: `creates` holds the `edits`; `rejected` are answers of 400 or more, `aborted` those whose
 * client left, `keyLeaks` the requests for a picture that brought a key.
 */
const emptyCounts = () => ({
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
  requests: /** @type {MockRequest[]} */ ([]),
});

/** @typedef {Exclude<keyof ReturnType<typeof emptyCounts>, 'requests'>} Counter */

/**
 * @typedef {object} Route
 * @property {Kind} kind
 * @property {Counter[]} counters
 * @property {string} method
 * @property {RegExp} path
 * @property {(service: Service, call: Call) => Reply} reply
 */

/** The service. Its methods need no transport. */
export class Service {
  /** @type {Route[]} */
  static #routes = [
    {
      kind: 'create',
      counters: ['creates'],
      method: 'POST',
      path: /^\/v1\/images\/generations$/,
      reply: (service, call) => service.#create(call, false),
    },
    {
      kind: 'create',
      counters: ['creates', 'edits'],
      method: 'POST',
      path: /^\/v1\/images\/edits$/,
      reply: (service, call) => service.#create(call, true),
    },
    {
      kind: 'poll',
      counters: ['polls'],
      method: 'GET',
      path: /^\/v1\/images\/generations\/[^/]+$/,
      reply: (service, call) => service.#poll(call, true),
    },
    {
      kind: 'poll',
      counters: ['polls'],
      method: 'GET',
      // Every id has an underscore; the other routes of images have none.
      path: /^\/v1\/(tasks\/[^/]+|images\/[^/]*_[^/]*)$/,
      reply: (service, call) => service.#poll(call, false),
    },
    {
      kind: 'cancel',
      counters: ['cancels'],
      method: 'DELETE',
      path: /^\/v1\/tasks\/[^/]+$/,
      reply: (service, call) => service.#cancel(call),
    },
    {
      kind: 'models',
      counters: ['models'],
      method: 'GET',
      path: /^\/v1\/models$/,
      reply: (service, call) => {
        service.#refuseWrongKey(call);
        return listModels(Object.fromEntries(call.query), service.#models);
      },
    },
    {
      kind: 'models',
      counters: ['models'],
      method: 'GET',
      path: /^\/v1\/models\/[^/]+$/,
      reply: (service, call) => {
        service.#refuseWrongKey(call);
        return showModel(call.id, service.#models);
      },
    },
    {
      kind: 'file',
      counters: ['files'],
      method: 'GET',
      path: /^\/files\/[^/]+$/,
      reply: (service, call) => service.#file(call),
    },
    {
      kind: 'health',
      counters: ['health'],
      method: 'GET',
      path: /^\/health$/,
      reply: () => ({ body: { status: 'ok' } }),
    },
  ];

  counts = emptyCounts();
  /** @type {Tasks} */
  tasks;
  /** @type {string} */
  apiKey;
  #options;
  /** @type {string[]} the keys that it accepts; empty: any, and none */
  #keys;
  #models;
  #uses = new Uses();
  /** @type {Map<string, import('./picture.js').Picture>} */
  #pictures = new Map();
  /** @type {{ on: Kind, times: number, reply: Reply | string }[]} */
  #scripts = [];
  #rate = { windowEnds: 0, used: 0 };
  /** How far `advance` has moved the clock. */
  #moved = 0;
  /** @type {Set<{ due: number, end: () => void }>} */
  #delays = new Set();

  /** @param {Options} [options] */
  constructor(options = {}) {
    const { apiKey, otherKeys = [], taskMs = 6000, pollPath = 'images', models = {} } = options;
    this.#options = options;
    this.apiKey = apiKey ?? TEST_KEY;
    this.#keys = apiKey === undefined ? [] : [apiKey, ...otherKeys];
    this.#models = withModels(models);
    this.tasks = new Tasks({ now: this.now, taskMs, pollPath });
  }

  /** The clock, in milliseconds since 1970. */
  now = () => (this.#options.now ?? Date.now)() + this.#moved;

  /** Moves the clock, and ends the delays that are over by then. @param {number} ms */
  advance(ms) {
    this.#moved += ms;
    for (const { due, end } of this.#delays) {
      if (due <= this.now()) {
        end();
      }
    }
  }

  /** Ends every delay. */
  close() {
    for (const { end } of this.#delays) {
      end();
    }
  }

  /**
   * Queues a reply in place of the service's own, before anything of the request is checked; or the name of a scenario.
   *
   * @param {{ on?: Kind, times?: number, reply: Reply | string }} script
   */
  next({ on = 'create', times = 1, reply }) {
    const kinds = Service.#routes.map(({ kind }) => kind);
    if (!kinds.includes(on)) {
      const known = [...new Set(kinds)].join(', ');
      throw new TypeError(`There are no requests of the kind '${on}'. The kinds are ${known}.`);
    }
    if (typeof reply === 'string') {
      try {
        parseScenarios(scenarioFor(on, reply));
      } catch {
        throw new TypeError(
          `There is no scenario '${reply}' for a request of the kind '${on}'. ` +
            'The page docs/testing.md of lemondata-wasm lists them; a reply of your own is an object.',
        );
      }
    }
    // A function would be taken for no reply, and the service would answer in its place.
    if (typeof reply !== 'string' && (typeof reply !== 'object' || !reply)) {
      throw new TypeError(
        `A reply is an object or the name of a scenario, not ${reply === null ? reply : typeof reply}.`,
      );
    }
    if (times > 0) {
      this.#scripts.push({ on, times, reply });
    }
  }

  reset() {
    this.tasks.clear();
    this.#pictures.clear();
    this.#uses.clear();
    this.#scripts.length = 0;
    this.#rate = { windowEnds: 0, used: 0 };
    // The list stays the same one: a test may have taken it out of the service.
    const { requests } = this.counts;
    requests.length = 0;
    Object.assign(this.counts, emptyCounts(), { requests });
  }

  /**
   * @param {Incoming} incoming
   * @returns {Promise<Answer>}
   */
  async handle({ method, path: target, headers, bytes, url }) {
    const { log, onRequest, cors = false } = this.#options;
    const [path, query = ''] = target.split(/\?(.*)/s);
    const routes = Service.#routes.filter((route) => route.path.test(path));
    const route = routes.find((route) => route.method === (method === 'HEAD' ? 'GET' : method));
    /** @type {MockRequest} */
    const record = {
      id: `req_${randomHex(24)}`,
      ...(route && { kind: route.kind }),
      method,
      path: target,
      headers,
      body: await describeBody(headers['content-type'], bytes),
      at: this.now(),
    };
    this.#record(record);
    onRequest?.(record);

    const crossOrigin = corsHeaders(path.startsWith(FILES) || cors, record);
    const head = new Headers({
      'x-request-id': record.id,
      'cache-control': 'no-store',
      ...this.#rateLimit(),
      ...crossOrigin,
    });
    /** @type {Call} */
    const call = {
      record,
      path,
      query: new URLSearchParams(query),
      id: decode(path.slice(path.lastIndexOf('/') + 1)),
      bytes,
      url,
    };
    const isPreflight = method === 'OPTIONS' && crossOrigin !== undefined;
    const reply = isPreflight ? { status: 204 } : this.#replyTo(call, route, routes);
    await this.#delay(reply.delay);

    const answer = answerOf(reply, head);
    if (!answer.fault) {
      record.status = answer.status;
      this.counts.rejected += answer.status >= 400 ? 1 : 0;
    }
    log?.(`${method} ${target} ${record.status ?? 'no answer'} ${this.now() - record.at} ms`);
    return method === 'HEAD' ? { ...answer, body: null } : answer;
  }

  /** @param {MockRequest} record */
  #record(record) {
    const { counts } = this;
    const { method, path, headers } = record;
    counts.requests.push(record);
    counts.requests.splice(0, counts.requests.length - MAX_RECORDS);
    if (method === 'OPTIONS' && headers['access-control-request-method'] !== undefined) {
      counts.preflights += 1;
    }
    const requested = headers['access-control-request-headers'] ?? '';
    const hasKey = headers.authorization !== undefined || /\bauthorization\b/i.test(requested);
    if (path.startsWith(FILES) && hasKey) {
      counts.keyLeaks += 1;
    }
  }

  /**
   * @param {Call} call
   * @param {Route | undefined} route
   * @param {Route[]} others those of the same path
   * @returns {Reply}
   */
  #replyTo(call, route, others) {
    if (!route) {
      const type = 'invalid_request_error';
      const allow = others.map(({ method }) => method).join(', ');
      return allow === ''
        ? errorReply(404, 'not_found', `There is no ${call.path}`, { type })
        : errorReply(
            405,
            'method_not_allowed',
            `${call.record.method} is not allowed here`,
            { type },
            { allow },
          );
    }
    for (const counter of route.counters) {
      this.counts[counter] += 1;
    }
    const script = this.#takeScript(route.kind);
    if (typeof script === 'string') {
      call.scenario = scenarioFor(route.kind, script);
    }
    const reply = typeof script === 'object' ? script : this.#ownReply(route, call);
    return call.isTypeOnly ? withoutCode(reply) : reply;
  }

  /**
   * @param {Route} route
   * @param {Call} call
   */
  #ownReply(route, call) {
    try {
      return route.reply(this, call);
    } catch (error) {
      if (error instanceof Refusal) {
        return error.reply;
      }
      console.error(error);
      return errorReply(500, 'server_error', 'The test server itself failed');
    }
  }

  /**
   * @param {Call} call
   * @param {boolean} isEdit
   * @returns {Reply}
   */
  #create(call, isEdit) {
    const { strict = false, inlineMs = 0, decodePng } = this.#options;
    const owner = this.#requireKey(call);
    const selection = this.#selectedScenarios(call);
    const body = parseBody(call.record.headers['content-type'], call.bytes);
    const request = parseCreate(body, {
      isEdit,
      isStrict: strict,
      pictureAt: (address) => this.#pictureAt(address),
      models: this.#models,
      decodePng,
    });
    const { model, prompt, n } = request;
    const fromModel = model.startsWith(SCENARIO_MODEL_PREFIX) && !this.#models.has(model);
    const scenarios = fromModel
      ? [...selection, ...scenariosOf(call, model.slice(SCENARIO_MODEL_PREFIX.length))]
      : selection;
    if (request.isAsync && includes(scenarios, NO_ASYNC)) {
      throw new Refusal(unsupportedParameter(model, 'async', {}));
    }
    const onCreate = scenarios.filter(({ on }) => on === 'create');
    const { delay, reply } = this.#uses.take(onCreate, 'create', this.#contextOf(call));
    if (reply) {
      return { delay, ...reply };
    }
    const showsBilling = strict || includes(scenarios, BILLING);
    if (!(wantsTask(scenarios) ?? (request.isTask || request.isAsync))) {
      const billingId = newBillingId();
      return {
        delay: inlineMs + delay,
        headers: { 'X-Billing-Transaction-ID': billingId },
        body: {
          created: Math.floor(this.now() / 1000),
          data: this.#makeImages(request, call),
          ...(showsBilling && billingOf(billingId)),
        },
      };
    }
    /** @type {Record<string, unknown>[] | undefined} */
    let images;
    const task = this.tasks.start({
      prompt,
      n,
      owner,
      traits: { showsBilling, ...traitsOf(scenarios, this.#contextOf(call)) },
      scenarios: scenarios.filter(({ on }) => on === 'poll'),
      images: () => {
        images ??= this.#makeImages(request, call);
        return images;
      },
    });
    return { delay, headers: headersOf(task), body: this.tasks.describe(task) };
  }

  /**
   * @param {Call} call
   * @param {boolean} imagesOnly whether the path is the older one, which knows image ids only
   * @returns {Reply}
   */
  #poll(call, imagesOnly) {
    const key = this.#requireKey(call);
    const { id } = call;
    const task = this.tasks.get(id);
    const selection = this.#selectedScenarios(call).filter(({ on }) => on === 'poll');
    const scenarios = selection.length > 0 ? selection : (task?.scenarios ?? []);
    call.isTypeOnly = includes(scenarios, TYPE_ONLY);
    const { delay, reply } = this.#uses.take(scenarios, id, this.#contextOf(call));
    if (reply) {
      return { delay, ...reply };
    }
    if (!task || (imagesOnly && !id.startsWith('img_'))) {
      return taskNotFound();
    }
    if (isForeign(task, key)) {
      return taskNotOwned();
    }
    const body = this.tasks.poll(task);
    return body === null ? taskNotFound() : { delay, headers: headersOf(task), body };
  }

  /** @param {Call} call @returns {Reply} */
  #cancel(call) {
    const key = this.#requireKey(call);
    const task = this.tasks.get(call.id);
    if (!task) {
      return taskNotFound();
    }
    if (isForeign(task, key)) {
      return taskNotOwned();
    }
    const type = 'invalid_request_error';
    return this.tasks.isOver(task)
      ? errorReply(409, 'task_not_cancellable', 'This task is over', { type })
      : errorReply(400, 'unsupported_task_cancel', 'Tasks of this model cannot be cancelled', { type });
  }

  /** @param {Call} call @returns {Reply} */
  #file({ record, id }) {
    const type = 'invalid_request_error';
    if (record.headers.authorization !== undefined) {
      return errorReply(400, 'unexpected_key', 'A picture is public: do not send the key here', { type });
    }
    const picture = this.#pictures.get(id);
    return picture
      ? { headers: { 'content-type': 'image/png' }, body: drawPicture(picture) }
      : errorReply(404, 'not_found', 'There is no such picture', { type });
  }

  /** The key of a request; undefined where every request is accepted. @param {Call} call */
  #requireKey({ record }) {
    if (this.#keys.length === 0) {
      return undefined;
    }
    const key = /^Bearer (.*)$/.exec(record.headers.authorization ?? '')?.[1];
    if (key === undefined || !this.#keys.includes(key)) {
      throw new Refusal(invalidKey());
    }
    return key;
  }

  /** The list of models is public, but a key that is sent has to be right. @param {Call} call */
  #refuseWrongKey(call) {
    if (call.record.headers.authorization !== undefined) {
      this.#requireKey(call);
    }
  }

  /** The scenarios that a script and the header of a request name. @param {Call} call */
  #selectedScenarios(call) {
    const header = call.record.headers['x-lemon-scenario'];
    return [call.scenario, header].flatMap((text) => (text === undefined ? [] : scenariosOf(call, text)));
  }

  /** @param {Call} call */
  #contextOf({ path, record }) {
    const { retryAfter = 1, foreignOrigin = 'https://foreign.example' } = this.#options;
    return { path, requestId: record.id, apiKey: this.apiKey, retryAfter, foreignOrigin, now: this.now };
  }

  /** @param {Kind} kind */
  #takeScript(kind) {
    const index = this.#scripts.findIndex(({ on }) => on === kind);
    if (index < 0) {
      return undefined;
    }
    const script = this.#scripts[index];
    script.times -= 1;
    if (script.times <= 0) {
      this.#scripts.splice(index, 1);
    }
    return script.reply;
  }

  /**
   * @param {import('./validate.js').CreateRequest} request
   * @param {Call} call
   */
  #makeImages({ prompt, model, n, width, height, base64, references, mask }, { url }) {
    return Array.from({ length: n }, (_, index) => {
      const picture = { prompt, model, index, width, height, references, mask };
      const revised_prompt = `${prompt.trim()}, in soft light`;
      if (base64 || this.#options.dataUrls) {
        const b64_json = toBase64(drawPicture(picture));
        return base64
          ? { b64_json, revised_prompt }
          : { url: `data:image/png;base64,${b64_json}`, revised_prompt };
      }
      const name = `${randomHex(24)}.png`;
      this.#pictures.set(name, picture);
      return { url: `${url}${FILES}${name}`, revised_prompt };
    });
  }

  /** @param {string} address */
  #pictureAt(address) {
    const picture = this.#pictures.get(address.slice(address.lastIndexOf('/') + 1));
    return picture && drawPicture(picture);
  }

  #rateLimit() {
    const now = this.now();
    if (now >= this.#rate.windowEnds) {
      this.#rate = { windowEnds: now + RATE_WINDOW_MS, used: 0 };
    }
    this.#rate.used += 1;
    return {
      'x-ratelimit-limit': `${RATE_LIMIT}`,
      'x-ratelimit-remaining': `${Math.max(0, RATE_LIMIT - this.#rate.used)}`,
      'x-ratelimit-reset': `${Math.ceil(this.#rate.windowEnds / 1000)}`,
    };
  }

  /** Waits until the clock, or the time of the platform, has moved so far. @param {number} [ms] */
  async #delay(ms) {
    if (!ms) {
      return;
    }
    await new Promise((/** @type {(value?: undefined) => void} */ resolve) => {
      const delay = {
        due: this.now() + ms,
        end: () => {
          clearTimeout(timer);
          this.#delays.delete(delay);
          resolve();
        },
      };
      const timer = setTimeout(delay.end, ms);
      this.#delays.add(delay);
    });
  }
}

/**
 * A scenario as a request would name it.
 *
 * @param {Kind} kind
 * @param {string} name
 */
const scenarioFor = (kind, name) => {
  const parts = name.split(',').map((part) => part.trim());
  return kind === 'create' ? name : parts.map((part) => `${kind}:${part}`).join();
};

/**
 * @param {Call} call
 * @param {string} text that names them
 */
function scenariosOf(call, text) {
  const scenarios = parseScenarios(text);
  if (scenarios.some(({ name, on }) => name === TYPE_ONLY && on === 'create')) {
    call.isTypeOnly = true;
  }
  return scenarios;
}

/**
 * @param {import('./tasks.js').Task} task
 * @param {string | undefined} key
 */
const isForeign = ({ owner }, key) => owner !== undefined && owner !== key;

/** @param {import('./tasks.js').Task} task @returns {Record<string, string>} */
const headersOf = (task) => ({ 'X-Task-ID': task.id, 'X-Billing-Transaction-ID': task.billingId });

/** A segment of a path as a text. @param {string} segment */
function decode(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/**
 * @param {Reply} reply
 * @param {Headers} headers the usual ones
 * @returns {Answer}
 */
export function answerOf(reply, headers) {
  const { status = 200, partial } = reply;
  const body = reply.body instanceof ArrayBuffer ? new Uint8Array(reply.body) : reply.body;
  const isJson = partial === undefined && body !== undefined && !isRaw(body);
  if (isJson) {
    headers.set('content-type', 'application/json');
  }
  for (const [name, value] of new Headers(reply.headers)) {
    headers.set(name, value);
  }
  const answer = { status, headers, body: null };
  if (reply.hang || reply.reset) {
    return { ...answer, fault: reply.hang ? 'hang' : 'reset' };
  }
  if (partial !== undefined) {
    // More than will come: the client knows that the rest is missing.
    headers.set('content-length', `${new TextEncoder().encode(partial).length + 1024}`);
    return { ...answer, body: partial, fault: 'cut' };
  }
  return { ...answer, body: isJson ? JSON.stringify(body) : /** @type {string | null} */ (body ?? null) };
}

/** Whether a body is sent as it is. @param {unknown} body */
const isRaw = (body) => typeof body === 'string' || ArrayBuffer.isView(body);
