/**
 * What React Native adds to Hermes, as far as this package uses it, and a service in its `fetch`: the command line of
 * Hermes has no network. It runs before the bundle.
 */

Object.assign(globalThis, { window: globalThis, global: globalThis, navigator: { product: 'ReactNative' } });

/** Timers by a clock of their own, since those of the command line know no delay. */
const next = globalThis.setTimeout;
let now = 0;
let timers = [];
let runs = false;
/** Turns in which promises settle before the clock moves on. */
const QUIET_TURNS = 100;
function turn(left) {
  if (left > 0) return next(() => turn(left - 1), 0);
  timers.sort((one, other) => one.at - other.at);
  const timer = timers.shift();
  runs = Boolean(timer);
  if (!timer) return;
  now = Math.max(now, timer.at);
  timer.call();
  turn(QUIET_TURNS);
}
globalThis.setTimeout = (call, ms) => {
  const timer = { call, at: now + (ms || 0) };
  timers.push(timer);
  if (!runs) turn(QUIET_TURNS);
  runs = true;
  return timer;
};
globalThis.clearTimeout = (timer) => {
  timers = timers.filter((other) => other !== timer);
};
globalThis.performance = { now: () => now };
globalThis.console = { log: print, error: print, warn: print };

// Its parts cannot be read.
globalThis.URL = function URL() {};

globalThis.Headers = function Headers(from) {
  this.map = Object.assign({}, from && (from.map || from));
};
Headers.prototype.get = function (name) {
  const value = this.map[name.toLowerCase()];
  return value === undefined ? null : value;
};
Headers.prototype.set = function (name, value) {
  this.map[name.toLowerCase()] = String(value);
};
Headers.prototype[Symbol.iterator] = function () {
  return Object.entries(this.map)[Symbol.iterator]();
};

globalThis.AbortController = function AbortController() {
  const listeners = new Set();
  const signal = {
    aborted: false,
    addEventListener: (_, listener) => listeners.add(listener),
    removeEventListener: (_, listener) => listeners.delete(listener),
  };
  this.signal = signal;
  this.abort = () => {
    signal.aborted = true;
    for (const listener of listeners) listener({ type: 'abort' });
  };
};

const requests = [];
globalThis.requests = requests;
let polls = 0;
function answerTo(method, body) {
  if (method === 'GET') {
    polls += 1;
    const done = polls === 2;
    return {
      status: done ? 'completed' : 'processing',
      data: done ? [{ url: 'https://files.test/2.png' }] : [],
    };
  }
  if (JSON.parse(body).model === 'flux-schnell')
    return { created: 1, data: [{ url: 'https://files.test/1.png' }] };
  return {
    created: 1,
    status: 'pending',
    task_id: 'img_1',
    poll_url: '/v1/images/generations/img_1',
    data: [],
  };
}
globalThis.fetch = (url, { method, headers, body }) => {
  requests.push(`${method} ${url} ${headers.get('authorization')}`);
  const text = JSON.stringify(answerTo(method, body));
  return Promise.resolve({ status: 200, headers: new Headers(), text: () => Promise.resolve(text) });
};

globalThis.settings = { apiKey: 'sk-hermes', baseUrl: 'https://api.test' };

// Hermes has them since React Native 0.72.
for (const type of [String, Array]) {
  type.prototype.at ??= function at(index) {
    return this[index < 0 ? this.length + index : index];
  };
}

// And this since 0.74.
globalThis.TextEncoder = function TextEncoder() {};
TextEncoder.prototype.encode = (text) =>
  Uint8Array.from(unescape(encodeURIComponent(text)), (char) => char.charCodeAt(0));
