/** A relay with a hub, a limiter and a bucket, as a user would write it; intervals are short. */

import {
  durableHub,
  durableStore,
  TaskHub as Hub,
  IdempotencyKeyObject as KeyObject,
  RequestLimiter as Limiter,
} from 'lemondata-wasm/cloudflare';
import { createRelay, toCloudflare } from 'lemondata-wasm/relay';
import { createHolds } from './holds.js';

/** Adds methods for tests, which do not drive the object. */
const Inside = (Base) =>
  class extends Base {
    /** All that is stored, and the time of the alarm. */
    async stored() {
      const entries = [...this.ctx.storage.kv.list()];
      const tables = [...this.ctx.storage.sql.exec("SELECT name FROM sqlite_master WHERE type = 'table'")];
      return {
        entries: Object.fromEntries(entries),
        tables: tables.map(({ name }) => name),
        alarm: await this.ctx.storage.getAlarm(),
      };
    }

    /** How many sockets are open. */
    watchers() {
      return this.ctx.getWebSockets().filter(({ readyState }) => readyState === WebSocket.OPEN).length;
    }

    /** Rings the alarm, several times at once. */
    async ring(times) {
      await Promise.all(Array.from({ length: times }, () => this.alarm()));
    }

    /** Changes fields of a row and ends the object: a test cannot wait for hours. */
    async amend(name, changes) {
      const value = this.ctx.storage.kv.get(name);
      for (const [path, to] of Object.entries(changes)) {
        const fields = path.split('.');
        const last = fields.pop();
        fields.reduce((inner, field) => inner[field], value)[last] = to;
      }
      await this.replace({ [name]: value });
    }

    /** Stores a row, as another version may have done. */
    put(name, value) {
      this.ctx.storage.kv.put(name, value);
    }

    /** Stores rows as another version may have done, and ends the object before a running task writes its own. */
    async replace(rows) {
      await this.ctx.blockConcurrencyWhile(async () => {
        for (const [name, value] of Object.entries(rows)) this.ctx.storage.kv.put(name, value);
        await this.ctx.storage.sync();
        this.ctx.abort('A test ends it.');
      });
    }

    /** Writes a row and one that is too large, in one transaction. Returns the first one, and the error. */
    breakOff() {
      const { kv } = this.ctx.storage;
      let message;
      try {
        this.ctx.storage.transactionSync(() => {
          kv.put('first', 'written');
          kv.put('second', 'x'.repeat(3_000_000));
        });
      } catch (error) {
        message = error.message;
      }
      return [[kv.get('order')?.identity, kv.get('first') ?? null], message];
    }

    /** Ends the object with its memory and its work. */
    reset() {
      this.ctx.abort('A test ends it.');
    }
  };

export class TaskHub extends Inside(Hub) {
  settings(env) {
    const usual = {
      ...super.settings(env),
      pollInterval: { min: env.POLL_MS, max: env.POLL_MS },
      maxWait: env.MAX_WAIT_MS,
      retention: env.RETENTION_MS,
      requestTimeout: env.REQUEST_TIMEOUT_MS,
      limiter: env.LEMONDATA_PER_MINUTE && env.LIMITER,
      pictures: env.KEEPS && env.PICTURES,
      log: (event) => console.log(`EVENT ${JSON.stringify(event)}`),
      ...(env.HAS_NO_LEASES && { tasks: { idFromName() {}, get: () => ({}) } }),
      ...env.SETTINGS,
    };
    return env.CONTROL ? { ...usual, ...createHolds(env) } : usual;
  }
}

export class RequestLimiter extends Inside(Limiter) {
  settings(env) {
    const isNarrow = this.ctx.id.equals(env.LIMITER.idFromName('narrow'));
    if (isNarrow) return { perMinute: env.NARROW_PER_MINUTE };
    return { ...super.settings(env), ...env.LIMITER_SETTINGS };
  }
}

export class IdempotencyKeyObject extends Inside(KeyObject) {
  settings(env) {
    const usual = super.settings(env);
    return { claim: env.CLAIM_MS ?? usual.claim, retention: env.RETENTION_MS, ...env.KEY_SETTINGS };
  }
}

/** Calls a method of an object, by its id or its name: `/inside/TASKS/<id>/stored`, `/inside/TASKS/@<name>/stored`. */
async function inside(env, pathname) {
  const [, , space, id, method, json] = pathname.split('/');
  const objects = env[space];
  const name = decodeURIComponent(id);
  const object = objects.get(
    name.startsWith('@') ? objects.idFromName(name.slice(1)) : objects.idFromString(name),
  );
  const values = json ? JSON.parse(decodeURIComponent(json)) : [];
  return Response.json((await object[method](...values)) ?? null);
}

export default toCloudflare((env) => {
  const usual = {
    apiKey: env.LEMONDATA_API_KEY,
    baseUrl: env.LEMONDATA_BASE_URL,
    secret: 'a secret that nobody guesses, of 46 characters',
    // A test names its users.
    async authorize(request) {
      const user = request.headers.get('x-user') ?? new URL(request.url).searchParams.get('user');
      if (env.CONTROL && user === 'arrives') await fetch(`${env.CONTROL}/arrives`);
      return user;
    },
    models: 'any',
    allowedOrigins: env.PAGE ? [env.PAGE] : ['self'],
    allowedHeaders: ['x-user'],
    limiter: false,
    maxN: 10,
    ...env.RELAY,
    log: (event) => event.error && console.error(event.error),
  };
  const hub = createRelay({
    ...usual,
    hub: durableHub({
      tasks: env.TASKS,
      pictures: env.PICTURES,
      answerWithin: env.ANSWER_WITHIN_MS,
      heartbeat: env.HEARTBEAT_MS,
      streamLife: env.STREAM_LIFE_MS,
    }),
  });
  const store = createRelay({ ...usual, store: durableStore(env.KEYS) });
  return (request, context) => {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith('/inside/')) return inside(env, pathname);
    return (pathname.startsWith('/store/') ? store : hub)(request, context);
  };
});
