/** A hub in a real workerd, and what tests want of it. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LemonData } from 'lemondata-wasm';
import { installPacked } from '../helpers/pack.js';
import { bundleWorker, startModules } from '../helpers/worker.js';

/** What intervals are in tests, in milliseconds. */
export const POLL_MS = 20;

let modules;

/** The worker's modules, made once: bundled from the packed and installed package. */
export async function makeModules() {
  if (!modules) {
    const project = installPacked();
    modules = await bundleWorker(project.folder, fileURLToPath(new URL('worker.js', import.meta.url)));
    project.remove();
  }
  return modules;
}

/** Where a hub keeps its files, for as long as a test needs them. */
export function makeFiles() {
  const folder = mkdtempSync(join(tmpdir(), 'lemondata-hub-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** The options of miniflare for a hub. */
export const optionsOf = (server, bindings = {}, files = undefined) => ({
  compatibilityDate: '2026-07-01',
  compatibilityFlags: ['enable_request_signal'],
  host: '127.0.0.1',
  bindings: {
    LEMONDATA_API_KEY: server.apiKey,
    LEMONDATA_BASE_URL: server.url,
    POLL_MS,
    MAX_WAIT_MS: 60_000,
    RETENTION_MS: 3_600_000,
    REQUEST_TIMEOUT_MS: 20_000,
    ANSWER_WITHIN_MS: 2000,
    ...bindings,
  },
  durableObjects: {
    TASKS: { className: 'TaskHub', useSQLite: true },
    LIMITER: { className: 'FleetLimiter', useSQLite: true },
    KEYS: { className: 'OnceKey', useSQLite: true },
  },
  r2Buckets: ['PICTURES'],
  ...(files && {
    durableObjectsPersist: join(files.folder, 'objects'),
    r2Persist: join(files.folder, 'pictures'),
  }),
});

/**
 * @param {{ url: string, apiKey: string }} server
 * @param {object} [bindings]
 * @param {{ folder: string }} [files]
 */
export async function startHub(server, bindings, files) {
  const worker = await startModules(await makeModules(), {
    ...optionsOf(server, bindings, files),
    handleRuntimeStdio(...streams) {
      for (const stream of streams) stream.on('data', (text) => printed.push(`${text}`));
    },
  });
  const printed = [];
  const url = `${await worker.ready}`.replace(/\/$/, '');
  return {
    url,
    worker,
    printed,
    /** A client of somebody. */
    client: (user, options) =>
      new LemonData({
        baseUrl: `${url}/hub`,
        relay: true,
        headers: { 'x-user': user },
        pollInterval: { min: POLL_MS, max: POLL_MS },
        ...options,
      }),
    close: () => worker.dispose(),
  };
}
