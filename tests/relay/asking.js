/** A relay in front of the embedded server, and requests to it, without any network between the two of them. */

import { createRelay } from 'lemondata-wasm/relay';

export const KEY = 'sk-the-key-of-the-relay-0123456789';
export const SECRET = 'a secret that nobody guesses, of 46 characters';
export const RELAY = 'https://relay.example/api/lemondata';
export const CREATE = '/v1/images/generations';
export const PROMPT = 'A lemon on a windowsill';

/**
 * @param {{ url: string }} server the service
 * @returns what a test asks a relay with; `events` is what the relays have logged, `clock.now` their time
 */
export function asking(server) {
  const events = [];
  const clock = { now: Date.UTC(2026, 0, 1) };

  /** @param {Partial<import('lemondata-wasm/relay').RelayOptions>} [options] */
  const make = (options) =>
    createRelay({
      apiKey: KEY,
      baseUrl: server.url,
      secret: SECRET,
      authorize: (request) => request.headers.get('x-user'),
      models: 'any',
      limiter: false,
      log: (event) => events.push(event),
      now: () => clock.now,
      ...options,
    });

  async function ask(relay, method, path, { user = 'ann', headers, body, context } = {}) {
    const request = new Request(RELAY + path, {
      method,
      headers: {
        'x-user': user,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: typeof body === 'object' ? JSON.stringify(body) : body,
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
  const keyed = (relay, key, fields, more) =>
    create(relay, fields, { ...more, headers: { 'idempotency-key': key } });
  const poll = (relay, reference, more) => ask(relay, 'GET', `/v1/tasks/${reference}`, more);

  return { events, clock, make, ask, create, keyed, poll };
}

/** Waits for something that comes without any sign. */
export async function come(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
