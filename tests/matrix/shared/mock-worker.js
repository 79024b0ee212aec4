/** A worker of Cloudflare with the service in memory. */

import { exerciseMock } from './mock.js';

export default {
  fetch: async () => Response.json(await exerciseMock()),
};
