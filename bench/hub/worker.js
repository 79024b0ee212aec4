/** A relay with a hub, and for comparison objects that hold streams open themselves. */

import { DurableObject } from 'cloudflare:workers';
import { durableHub, TaskHub as Hub } from 'lemondata-wasm/cloudflare';
import { createRelay, toCloudflare } from 'lemondata-wasm/relay';

export class TaskHub extends Hub {
  settings(env) {
    return {
      ...super.settings(env),
      pollInterval: env.POLL_INTERVAL,
      maxWait: 3_600_000,
      maxWatchers: 1_000_000,
      limiter: undefined,
      pictures: undefined,
    };
  }
}

/** A hub that keeps its watchers' streams in memory, so that it cannot be evicted. */
export class Held extends DurableObject {
  fetch() {
    const { readable, writable } = new IdentityTransformStream();
    const writer = writable.getWriter();
    const state = { task_id: 't_'.padEnd(200, 'x'), status: 'processing', data: [] };
    writer.write(new TextEncoder().encode(`data: ${JSON.stringify(state)}\n\n`)).catch(() => {});
    return new Response(readable, { headers: { 'content-type': 'text/event-stream' } });
  }
}

export default toCloudflare((env) => {
  const relay = createRelay({
    apiKey: env.LEMONDATA_API_KEY,
    baseUrl: env.LEMONDATA_BASE_URL,
    secret: 'a secret of a bench, which is no secret',
    authorize: () => 'bench',
    models: 'any',
    limiter: false,
    hub: durableHub({ tasks: env.TASKS }),
  });
  return (request, context) => {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith('/held/')) return relay(request, context);
    return env.HELD.get(env.HELD.idFromName(pathname)).fetch(request);
  };
});
