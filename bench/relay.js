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

/** The calls of one measurement: a single one is as short as a pause of the scheduler. */
const CALLS = 10;

/**
 * Compares calls, one after another.
 *
 * @param {Record<string, () => Promise<unknown>>} calls
 * @param {import('./measure.js').Rounds} options
 */
async function compareCalls(calls, options) {
  const repeated = (call) => async () => {
    for (let time = 0; time < CALLS; time += 1) await call();
  };
  const subjects = Object.entries(calls).map(([name, call]) => [name, repeated(call)]);
  const values = await sideBySide(Object.fromEntries(subjects), options);
  const each = Object.entries(values).map(([name, times]) => [name, times.map((ms) => ms / CALLS)]);
  return { unit: 'ms', rows: compare(Object.fromEntries(each), BASE) };
}

export async function* benchRelay({ measures, rounds, seconds }) {
  const options = { rounds, warmUp: Math.ceil(rounds / 5), seconds };
  const upstream = await start('upstream.js');
  const relay = await start('relay-server.js', upstream.url);
  const proxy = await start('proxy-server.js', upstream.url);
  const direct = { apiKey: 'sk-bench', baseUrl: upstream.url };
  const through = { baseUrl: relay.url };
  const keyed = { baseUrl: relay.url, relay: true };
  const passed = { baseUrl: proxy.url };
  try {
    if (measures.includes('creates')) {
      const creates = {
        [BASE]: () => generate(REQUEST, direct),
        [PROXY]: () => generate(REQUEST, passed),
        'through the relay': () => generate(REQUEST, through),
        'through the relay, keyed': () => generate(REQUEST, keyed),
      };
      yield { creates: await compareCalls(creates, options) };
    }
    if (measures.includes('polls')) {
      const reference = await signReference();
      const polls = {
        [BASE]: () => getTask('img_1', direct),
        [PROXY]: () => getTask('img_1', passed),
        'through the relay': () => getTask(reference, through),
      };
      yield { polls: await compareCalls(polls, options) };
    }
  } finally {
    await proxy.stop();
    await relay.stop();
    await upstream.stop();
  }
}

/** The reference of a task, as the relay signs it: the upstream answers a create inline, and brings none. */
async function signReference() {
  const { createReferences } = await import('../js/relay/references.js');
  const references = createReferences(['a secret of a bench, which is no secret'], {
    ttlMs: 1e9,
    now: Date.now,
    kind: 'task',
  });
  return references.sign({ task_id: 'img_1' }, 'bench');
}
