/** The measured clients: first the bare loop, to which all ratios refer. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/lib/run.js';

/** The reference of all ratios. */
export const BASE = 'bare loop';
/** The same with what keeps a call from hanging. */
export const BOUNDED = 'bare loop + time-out';
/** No client, but the least that a client in WebAssembly does: `../limit.js` writes it. */
export const LIMIT = 'idle module';
export const OURS = 'lemondata-wasm';
export const SLIM = 'lemondata-wasm/slim';

/** What some clients lack, with the mark of each. */
export const PROMISES = {
  timeout: ['¹', 'no time-out: a request that gets no answer never ends'],
  abort: ['²', 'no abort of a request under way'],
  client: ['³', 'a limit and no client: the module is started, and the bare loop sends the request'],
};

/** The name of a client with a mark for each thing that it lacks. */
export const marked = (name) =>
  name + (CLIENTS[name]?.lacks ?? []).map((promise) => PROMISES[promise][0]).join('');

/**
 * Each client: its module in this folder, its packages, and the imports of a page that makes an image and waits for
 * it. Clients with `inPages` are measured in pages only, one with `starts` from its import to its first request only;
 * clients with `waits` wait for a task, by themselves or with a loop. `lacks` names the promises that a client does not
 * keep, which would cost it time and memory.
 *
 * @type {Record<string, {
 *   file: string, packages: string[], contents?: string, isSdk?: boolean, waits?: boolean, inPages?: boolean, starts?: boolean,
 *   lacks?: (keyof typeof PROMISES)[],
 * }>}
 */
export const CLIENTS = {
  [BASE]: {
    file: 'bare.js',
    packages: [],
    contents: `export { generateImage } from './bench/clients/bare.js';`,
    waits: true,
    lacks: ['timeout', 'abort'],
  },
  [BOUNDED]: {
    file: 'bounded.js',
    packages: [],
    contents: `export { generateImage } from './bench/clients/bounded.js';`,
    waits: true,
  },
  [LIMIT]: { file: '../../target/bench/limit', packages: [], starts: true, lacks: ['client'] },
  [OURS]: { file: 'lemondata.js', packages: [], waits: true },
  [SLIM]: { file: 'lemondata-slim.js', packages: [], inPages: true },
  replicate: {
    file: 'replicate.js',
    packages: ['replicate'],
    contents: `export { default } from 'replicate';`,
    isSdk: true,
    waits: true,
    // `run` looks at its signal between two polls.
    lacks: ['timeout', 'abort'],
  },
  fal: {
    file: 'fal.js',
    packages: ['@fal-ai/client'],
    contents: `export { createFalClient } from '@fal-ai/client';`,
    isSdk: true,
    waits: true,
    // `subscribe` has one for the whole wait, which ends no request.
    lacks: ['timeout'],
  },
  openai: {
    file: 'openai.js',
    packages: ['openai'],
    contents: `export { default } from 'openai';`,
    isSdk: true,
    waits: true,
  },
  ky: { file: 'ky.js', packages: ['ky'], contents: `export { default } from 'ky';`, waits: true },
  'AI SDK': {
    file: 'ai-sdk.js',
    packages: ['ai', '@ai-sdk/openai-compatible'],
    contents: `export { createOpenAICompatible } from '@ai-sdk/openai-compatible';
      export { experimental_generateImage } from 'ai';`,
    isSdk: true,
    lacks: ['timeout'],
  },
};

/** The names of the clients that fulfil a condition. */
export const clientsWith = (condition) => Object.keys(CLIENTS).filter((name) => condition(CLIENTS[name]));

/** Clients that run everywhere and do everything but, maybe, wait. */
export const runsAnywhere = ({ inPages, starts }) => !inPages && !starts;

/**
 * The file of a client's module.
 *
 * @param {string} name
 * @param {'page' | 'worker'} [target]
 */
export const clientFile = (name, target = 'page') =>
  join(root, 'bench', 'clients', CLIENTS[name].file + (CLIENTS[name].starts ? `-${target}.js` : ''));

/** The measured packages with their exact versions. */
export function versions() {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const packages = Object.values(CLIENTS).flatMap((client) => client.packages);
  return Object.fromEntries(packages.map((name) => [name, devDependencies[name]]));
}
