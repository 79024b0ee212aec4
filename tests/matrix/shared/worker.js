/** A worker of Cloudflare: what it needs stands in its variables. */

import { generate, waitForTask } from 'lemondata-wasm';
import { exercise } from './exercise.js';

export default {
  async fetch(_request, env) {
    const options = { apiKey: env.LEMONDATA_API_KEY, baseUrl: env.LEMONDATA_BASE_URL };
    return Response.json(await exercise({ generate, waitForTask }, options));
  },
};
