/** Performs a case in a Cloudflare worker. */

import { perform } from './scenario.js';

export default {
  async fetch(request) {
    return Response.json(await perform(await request.json()));
  },
};
