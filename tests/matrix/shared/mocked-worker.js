/** A worker of Cloudflare with the service in memory. */

import { mocked } from './mocked.js';

export default {
  fetch: async () => Response.json(await mocked()),
};
