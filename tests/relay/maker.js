/** The relays of the tests. They run in Node and in a worker alike. */

import { createRelay } from 'lemondata-wasm/relay';

export const KEY = 'sk-the-key-of-the-relay-0123456789';
export const SECRET = 'a secret that nobody guesses, of 46 characters';

/** Names the caller by the header `x-user`: a test needs no more. */
const byHeader = (request) => request.headers.get('x-user');

/** @param {Partial<import('lemondata-wasm/relay').RelayOptions>} options `baseUrl` is the service */
export const makeRelay = (options) =>
  createRelay({
    apiKey: KEY,
    secret: SECRET,
    authorize: byHeader,
    models: 'any',
    limiter: false,
    log() {},
    ...options,
  });
