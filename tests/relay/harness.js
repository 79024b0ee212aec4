/** Relays in front of a server, and requests to them, without a network between the two. */

import { after, before, beforeEach } from 'node:test';
import { LemonData } from 'lemondata-wasm';
import { startServer } from '../server/index.js';
import { KEY, makeRelay } from './maker.js';

export { KEY, SECRET } from './maker.js';
export const RELAY = 'https://relay.example/api/lemondata';
export const CREATE = '/v1/images/generations';
export const PROMPT = 'A lemon on a windowsill';

/** A text or a plain object is the body of a JSON request. */
const isJsonBody = (body) =>
  typeof body === 'string' || (body !== undefined && Object.getPrototypeOf(body) === Object.prototype);

/**
 * @param {{ url: string }} server the service
 * @param {{ now: number }} [clock] the relays' time
 * @returns the maker of relays and the requests of a test; `events` is the relays' log
 */
export function createHarness(server, clock = { now: Date.UTC(2026, 0, 1) }) {
  const events = [];

  /** @param {Partial<import('lemondata-wasm/relay').RelayOptions>} [options] */
  const make = (options) =>
    makeRelay({
      baseUrl: server.url,
      log: (event) => events.push(event),
      now: () => clock.now,
      ...options,
    });

  /** Sends a request to a relay, and reads the answer. */
  async function ask(relay, method, path, { user = 'ann', headers, body, context, base = RELAY } = {}) {
    const request = new Request(base + path, {
      method,
      headers: {
        ...(user && { 'x-user': user }),
        ...(isJsonBody(body) && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: isJsonBody(body) && typeof body !== 'string' ? JSON.stringify(body) : body,
      duplex: 'half',
    });
    const response = await relay(request, context);
    const text = await response.text();
    const isJson = text && response.headers.get('content-type') === 'application/json';
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson ? JSON.parse(text) : undefined,
    };
  }

  const create = (relay, fields, more) =>
    ask(relay, 'POST', CREATE, {
      body: typeof fields === 'string' ? fields : { prompt: PROMPT, ...fields },
      ...more,
    });
  const keyed = (relay, key, fields, { headers, ...more } = {}) =>
    create(relay, fields, { headers: { 'idempotency-key': key, ...headers }, ...more });
  const poll = (relay, reference, more) => ask(relay, 'GET', `/v1/tasks/${reference}`, more);

  return { events, clock, make, ask, create, keyed, poll };
}

/** The client of a page, over a relay. */
export const clientOf = (relay, options) =>
  new LemonData({
    baseUrl: RELAY,
    fetch: (url, init) => relay(new Request(url, init)),
    headers: { 'x-user': 'ann' },
    pollInterval: { min: 1, max: 2 },
    maxRetries: 0,
    ...options,
  });

/** Waits for something that comes without any sign. */
export async function come(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** The service of a test file that has called `useServer`, and the relays of the test at hand. */
export let server;
export let relays;

/**
 * Starts a service for the tests of a file. Each test finds it reset, with relays of its own.
 *
 * @param {Parameters<typeof startServer>[0]} [options]
 */
export function useServer(options) {
  before(async () => {
    server = await startServer({ apiKey: KEY, ...options });
  });
  after(() => server.close());
  beforeEach(() => {
    server.reset();
    relays = createHarness(server);
  });
}
