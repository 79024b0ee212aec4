/** Creates with Node's own fetch, and prints what ended the request beneath. */

import { generate } from 'lemondata-wasm';

try {
  await generate(
    { model: 'gpt-image-2', prompt: 'A lemon on a windowsill' },
    { apiKey: process.env.LEMONDATA_API_KEY, baseUrl: process.env.LEMONDATA_BASE_URL },
  );
} catch (error) {
  console.log(error.cause.cause.code);
}
