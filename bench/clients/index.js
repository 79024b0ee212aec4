/** Who is measured: the bare loop first, to which the others are ratios. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/lib/run.js';

/** What everything is a ratio to. */
export const BASE = 'bare loop';
export const OURS = 'lemondata-wasm';
export const SLIM = 'lemondata-wasm/slim';

/**
 * For each client its module in this folder, the packages that it takes, and what a page imports of them to make
 * an image and wait for it. `inPages` are only measured there; `waits` do by themselves, or with a loop, wait for
 * a task.
 *
 * @type {Record<string, {
 *   file: string, packages: string[], contents?: string, isSdk?: boolean, waits?: boolean, inPages?: boolean,
 * }>}
 */
export const CLIENTS = {
  [BASE]: {
    file: 'bare.js',
    packages: [],
    contents: `export { generateImage } from './bench/clients/bare.js';`,
    waits: true,
  },
  [OURS]: { file: 'lemondata.js', packages: [], waits: true },
  [SLIM]: { file: 'lemondata-slim.js', packages: [], inPages: true },
  replicate: {
    file: 'replicate.js',
    packages: ['replicate'],
    contents: `export { default } from 'replicate';`,
    isSdk: true,
    waits: true,
  },
  fal: {
    file: 'fal.js',
    packages: ['@fal-ai/client'],
    contents: `export { createFalClient } from '@fal-ai/client';`,
    isSdk: true,
    waits: true,
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
  },
};

/** The names of the clients for which this holds. */
export const clientsWith = (condition) => Object.keys(CLIENTS).filter((name) => condition(CLIENTS[name]));

/** The file of a client's module. */
export const clientFile = (name) => join(root, 'bench', 'clients', CLIENTS[name].file);

/** The packages that are measured, each with its exact version. */
export function versions() {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const packages = Object.values(CLIENTS).flatMap((client) => client.packages);
  return Object.fromEntries(packages.map((name) => [name, devDependencies[name]]));
}
