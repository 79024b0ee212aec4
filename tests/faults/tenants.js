/**
 * One client for several tenants, told apart by their asynchronous context, as a server has it. Each of them gets its
 * own picture, and each callback runs in the context of its own call.
 */

import { LemonData } from 'lemondata-wasm';

// Out of a bundler's sight: a page has no such module.
const ASYNC_HOOKS = 'node:async_hooks';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const json = (body) =>
  new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } });

/** A service that shows each key's own picture at its third poll, and counts its polls. */
function service() {
  const polls = {};
  async function fetch(_, { headers }) {
    const owner = headers.get('authorization') ?? headers.get('x-tenant');
    polls[owner] = (polls[owner] ?? 0) + 1;
    const isDone = polls[owner] % 3 === 0;
    await sleep(5);
    if (!isDone) return json({ task_id: 't', status: 'processing' });
    return json({ task_id: 't', status: 'completed', data: [{ url: `https://x.test/${owner}` }] });
  }
  return { polls, fetch };
}

/** Waits for the same task as several tenants at once. */
async function waitAs(tenants, options) {
  const { AsyncLocalStorage } = await import(ASYNC_HOOKS);
  const context = new AsyncLocalStorage();
  const { polls, fetch } = service();
  const strays = [];
  const client = new LemonData({
    fetch,
    pollInterval: { min: 5, max: 10 },
    ...options(() => context.getStore()),
  });
  const pictures = await Promise.all(
    tenants.map((tenant) =>
      context.run(tenant, async () => {
        const check = (callback) => () => {
          if (context.getStore() !== tenant) strays.push(`${callback} of ${tenant.name}`);
        };
        const callbacks = { onUpdate: check('onUpdate'), onResponse: check('onResponse') };
        const { data } = await client.waitForTask('t', callbacks);
        check('the continuation')();
        return data[0].url;
      }),
    ),
  );
  return { pictures, polls, strays };
}

export async function tenants() {
  const [a, b] = [{ name: 'a' }, { name: 'b' }];
  return {
    byKey: await waitAs([a, b], (tenant) => ({ apiKey: () => `sk-${tenant().name}` })),
    byHeaders: await waitAs([a, b], (tenant) => ({
      baseUrl: 'https://relay.test',
      headers: async () => ({ 'x-tenant': tenant().name }),
    })),
    together: await waitAs([a, b], () => ({ apiKey: () => 'sk-shared' })),
  };
}
