/** The time that a relay adds to a call, compared with a direct call of the upstream. */

import { generate, getTask } from 'lemondata-wasm';
import { compare, sideBySide } from './measure.js';
import { startProcess } from './processes.js';

const REQUEST = { model: 'gpt-image-2', prompt: 'a lemon' };
const BASE = 'directly';
/** The limit: a server in Node that sends each request on by `fetch`, and checks nothing. */
export const PROXY = 'through a bare proxy';

async function start(file, ...args) {
  const { next, stop } = await startProcess(file, args);
  return { url: await next(), stop };
}

export async function benchRelay({ rounds }) {
  const options = { rounds, warmUp: Math.ceil(rounds / 5) };
  const upstream = await start('upstream.js');
  const relay = await start('relay-server.js', upstream.url);
  const proxy = await start('proxy-server.js', upstream.url);
  try {
    const direct = { apiKey: 'sk-bench', baseUrl: upstream.url };
    const through = { baseUrl: relay.url };
    const keyed = { baseUrl: relay.url, relay: true };
    const passed = { baseUrl: proxy.url };
    const creates = await sideBySide(
      {
        [BASE]: () => generate(REQUEST, direct),
        [PROXY]: () => generate(REQUEST, passed),
        'through the relay': () => generate(REQUEST, through),
        'through the relay, keyed': () => generate(REQUEST, keyed),
      },
      options,
    );

    // The upstream answers a create inline, so the reference of a task is signed here, as the relay would do it.
    const { createReferences } = await import('../js/relay/references.js');
    const references = createReferences(['a secret of a bench, which is no secret'], {
      ttlMs: 1e9,
      now: Date.now,
      kind: 'task',
    });
    const reference = await references.sign({ task_id: 'img_1' }, 'bench');
    const polls = await sideBySide(
      {
        [BASE]: () => getTask('img_1', direct),
        [PROXY]: () => getTask('img_1', passed),
        'through the relay': () => getTask(reference, through),
      },
      options,
    );
    const result = (values) => ({ unit: 'ms', rows: compare(values, BASE) });
    return { creates: result(creates), polls: result(polls) };
  } finally {
    await proxy.stop();
    await relay.stop();
    await upstream.stop();
  }
}
