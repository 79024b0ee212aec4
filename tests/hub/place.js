/** A hub in a real workerd, and what tests want of it. */

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LemonData } from 'lemondata-wasm';
import { installPacked } from '../helpers/pack.js';
import { bundleWorker, startModules } from '../helpers/worker.js';
import { startServer } from '../server/index.js';

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
    // workerd may lose a socket without a word when an object is reset: this is how soon a stream finds out.
    HEARTBEAT_MS: 500,
    ...bindings,
  },
  durableObjects: {
    TASKS: { className: 'TaskHub', useSQLite: true },
    LIMITER: { className: 'RequestLimiter', useSQLite: true },
    KEYS: { className: 'IdempotencyKeyObject', useSQLite: true },
  },
  r2Buckets: ['PICTURES'],
  ...(files && {
    durableObjectsPersist: join(files.folder, 'objects'),
    r2Persist: join(files.folder, 'pictures'),
  }),
});

/** What a test does with a hub, wherever it runs. */
export const hubAt = (url) => ({
  url,

  /** A client of somebody. */
  client: (user, options) =>
    new LemonData({
      baseUrl: `${url}/hub`,
      relay: true,
      headers: { 'x-user': user },
      pollInterval: { min: POLL_MS, max: POLL_MS },
      ...options,
    }),

  /** A request of somebody, as it is. */
  fetch: (user, path, { headers, ...init } = {}) =>
    fetch(`${url}/hub${path}`, { ...init, headers: { 'x-user': user, ...headers } }),

  /** A create of somebody, as it is. */
  create(user, body, key = undefined) {
    const headers = { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) };
    return this.fetch(user, '/v1/images/generations', {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
  },

  /** Asks an object what `worker.js` says that a test may ask. */
  inside(id, ...rest) {
    return this.insideOf('TASKS', id, ...rest);
  },

  async insideOf(space, id, method, ...values) {
    const given = encodeURIComponent(JSON.stringify(values));
    const response = await fetch(`${url}/inside/${space}/${id}/${method}/${given}`);
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  },

  /** Makes what is stored another, and has the object read it. */
  async amend(id, name, changes) {
    // It ends the call, too.
    await this.inside(id, 'amend', name, changes).catch(() => {});
  },
});

/** The id of the object that a reference names. */
export function idOf(reference) {
  const [payload] = reference.slice('t_'.length).split('.');
  const [id] = JSON.parse(Buffer.from(payload, 'base64url'));
  return id.slice('hub:'.length);
}

const digest = (text) => createHash('sha256').update(text).digest('hex');

/** The object of a keyed create, as `inside` takes it. */
export const nameOf = (user, key) => `@${digest(JSON.stringify([user, key]))}`;

/** The limiter of a key. */
export const limiterOf = (apiKey) => `@${digest(JSON.stringify([apiKey]))}`;

/** Waits until something holds. */
export async function until(holds, { everyMs = 20, withinMs = 15_000 } = {}) {
  for (const end = Date.now() + withinMs; ; ) {
    const value = await holds();
    if (value) return value;
    if (Date.now() > end) throw new Error(`After ${withinMs} ms this does not hold: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** A provider whose tasks are over at their third poll, however fast the machine is. */
export async function startPolledServer(onRequest, options) {
  const server = await startServer({
    taskMs: 3_600_000,
    onRequest(record) {
      const task = server.tasks.get(record.path.split('/').pop());
      if (task?.polls === 2) task.startedAt = 0;
      onRequest?.(record);
    },
    ...options,
  });
  return server;
}

/**
 * @param {{ url: string, apiKey: string }} server
 * @param {object} [bindings]
 * @param {{ folder: string }} [files]
 */
export async function startHub(server, bindings, files) {
  const printed = [];
  const worker = await startModules(await makeModules(), {
    ...optionsOf(server, bindings, files),
    handleRuntimeStdio(...streams) {
      for (const stream of streams) stream.on('data', (text) => printed.push(`${text}`));
    },
  });
  const url = `${await worker.ready}`.replace(/\/$/, '');
  return {
    ...hubAt(url),
    worker,
    printed,
    /** What the hub's tasks have logged. */
    events: () =>
      printed
        .join('')
        .split('\n')
        .filter((line) => line.startsWith('EVENT '))
        .map((line) => JSON.parse(line.slice('EVENT '.length))),
    close: () => worker.dispose(),
  };
}
