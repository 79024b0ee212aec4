import { createRelay, toNextRoute } from 'lemondata-wasm/relay';

const relay = createRelay({
  apiKey: () => process.env.LEMONDATA_API_KEY,
  // The build loads this file without the variables of the worker.
  baseUrl: process.env.LEMONDATA_BASE_URL ?? 'https://api.lemondata.cc',
  secret: 'a secret of the tests, of 32 characters',
  authorize: () => 'reader',
  models: 'any',
});

export const { GET, POST, OPTIONS } = toNextRoute(relay);
