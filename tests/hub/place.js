/** A hub in a real workerd, for tests. */

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LemonData } from 'lemondata-wasm';
import { installPacked } from '../helpers/pack.js';
import { bundleWorker, startModules } from '../helpers/worker.js';
import { startServer } from '../server/index.js';

/** The gap between two polls in tests, in milliseconds. */
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

/** A folder for the files of a hub, until a test removes it. */
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
    MAX_WAIT_MS: 600_000,
    RETENTION_MS: 3_600_000,
    REQUEST_TIMEOUT_MS: 20_000,
    ANSWER_WITHIN_MS: 2000,
    // workerd may lose a socket silently when an object is reset. A stream detects that after a heartbeat.
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

/** The operations of a test on a hub at this URL. */
export const hubAt = (url) => ({
  url,

  /** A client of a user. */
  client: (user, options) =>
    new LemonData({
      baseUrl: `${url}/hub`,
      relay: true,
      headers: { 'x-user': user },
      pollInterval: { min: POLL_MS, max: POLL_MS },
      ...options,
    }),

  /** A plain request of a user. */
  fetch: (user, path, { headers, ...init } = {}) =>
    fetch(`${url}/hub${path}`, { ...init, headers: { 'x-user': user, ...headers } }),

  /** A plain create of a user. */
  create(user, body, key = undefined) {
    const headers = { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) };
    return this.fetch(user, '/v1/images/generations', {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
  },

  /** Calls a method that `worker.js` adds to a task's object. */
  inside(id, ...rest) {
    return this.insideOf('TASKS', id, ...rest);
  },

  async insideOf(space, id, method, ...values) {
    const json = encodeURIComponent(JSON.stringify(values));
    const call = () => fetch(`${url}/inside/${space}/${id}/${method}/${json}`);
    // On a busy machine workerd may read a request late, and then it closes the connection. A look can be repeated.
    const response = await call().catch((error) => (method === 'stored' ? call() : Promise.reject(error)));
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  },

  /** Changes a stored row, and has the object read it again. */
  async amend(id, name, changes) {
    // The object ends, and the call with it.
    await this.inside(id, 'amend', name, changes).catch(() => {});
  },

  /** Has an object forget its task, as after its retention. */
  async expire(id) {
    await this.amend(id, 'job', { due: 1 });
    await this.inside(id, 'ring', 1);
  },
});

/** The id of the object that a reference names. */
export function idOf(reference) {
  const [payload] = reference.slice('t_'.length).split('.');
  const [id] = JSON.parse(Buffer.from(payload, 'base64url'));
  return id.slice('hub:'.length);
}

/** A text in SHA-256, as the hub names its objects. */
export const digest = (text) => createHash('sha256').update(text).digest('hex');

/** The object of a keyed create, as a parameter of `inside`. */
export const nameOf = (user, key) => `@${digest(JSON.stringify([user, key]))}`;

/** The limiter of a key, likewise. */
export const limiterOf = (apiKey) => `@${digest(JSON.stringify([apiKey]))}`;

/** Waits until a condition holds. */
export async function until(holds, { everyMs = 20, withinMs = 60_000 } = {}) {
  for (const end = Date.now() + withinMs; ; ) {
    const value = await holds();
    if (value) return value;
    if (Date.now() > end) throw new Error(`After ${withinMs} ms this does not hold: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** A provider whose tasks end at their third poll, on a slow machine as well. */
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
  /** Its last line may not have come whole. */
  const lines = () => printed.join('').split('\n').slice(0, -1);
  const events = () =>
    lines()
      .filter((line) => line.startsWith('EVENT '))
      .map((line) => JSON.parse(line.slice('EVENT '.length)));
  return {
    ...hubAt(url),
    worker,
    printed,
    /** The events that the hub's tasks have logged so far. */
    events,
    /** Waits for an event, and returns the last one. What workerd prints can come after what it answers. */
    logged: (isEvent) => until(() => events().findLast(isEvent)),
    /** Waits until workerd has printed a text. */
    prints: (pattern) => until(() => pattern.test(printed.join(''))),
    close: () => worker.dispose(),
  };
}
