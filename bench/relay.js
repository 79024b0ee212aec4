/** What the relay adds to a call: against calling the upstream directly. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { generate, getTask } from 'lemondata-wasm';
import { printTable, sideBySide } from './measure.js';

const ROUNDS = { rounds: 500, warmUp: 100 };
const REQUEST = { prompt: 'a lemon' };

async function start(file, ...args) {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args);
  const [url] = await once(child, 'message');
  return { url, stop: () => child.kill() };
}

export async function benchRelay() {
  const upstream = await start('upstream.js');
  const relay = await start('relay-server.js', upstream.url);
  try {
    const direct = { apiKey: 'sk-bench', baseUrl: upstream.url };
    const through = { baseUrl: relay.url };
    const keyed = { baseUrl: relay.url, relay: true };
    const creates = await sideBySide(
      {
        directly: () => generate(REQUEST, direct),
        'through the relay': () => generate(REQUEST, through),
        'through the relay, keyed': () => generate(REQUEST, keyed),
      },
      ROUNDS,
    );
    printTable('One inline create on loopback, in Node', creates);

    // A task whose reference the relay has signed: its upstream answers a create inline, so one is made by hand.
    const { createReferences } = await import('../js/relay/references.js');
    const references = createReferences(['a secret of a bench, which is no secret'], {
      ttlMs: 1e9,
      now: Date.now,
    });
    const reference = await references.sign({ task_id: 'img_1' }, 'bench');
    const polls = await sideBySide(
      {
        directly: () => getTask('img_1', direct),
        'through the relay': () => getTask(reference, through),
      },
      ROUNDS,
    );
    printTable('One poll on loopback, in Node', polls);
    return { creates, polls };
  } finally {
    relay.stop();
    upstream.stop();
  }
}
