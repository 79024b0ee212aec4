/** Does a job in a Cloudflare worker. */

import { JOBS } from './jobs.js';

export default {
  async fetch(request) {
    const { job, input } = await request.json();
    return Response.json(await JOBS[job](input));
  },
};
