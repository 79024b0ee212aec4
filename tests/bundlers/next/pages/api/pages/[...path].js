import { createRelay, toNodeHandler } from 'lemondata-wasm/relay';

/** A relay whose body Next.js has read and parsed. */
export default toNodeHandler(
  createRelay({
    apiKey: () => process.env.LEMONDATA_API_KEY,
    baseUrl: process.env.LEMONDATA_BASE_URL,
    secret: 'a secret of the tests, of 32 characters',
    authorize: () => 'reader',
    models: 'any',
  }),
);
