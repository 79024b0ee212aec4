/** Tells a story in a Cloudflare worker. */

import { tell } from './story.js';

export default {
  fetch: async (request) => Response.json(await tell(await request.json())),
};
