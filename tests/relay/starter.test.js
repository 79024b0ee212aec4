/** The starter, as its user has it: what wrangler would deploy, run by workerd, and wrangler's development server. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { LemonData, RateLimitError } from 'lemondata-wasm';
import { Miniflare } from 'miniflare';
import { root } from '../../scripts/lib/run.js';
import { ensureWrangler } from '../../scripts/lib/setup.js';
import { installPacked } from '../helpers/pack.js';
import { startServer } from '../server/index.js';
import { KEY, SECRET } from './maker.js';

const PAGE = 'http://localhost:5173';
/** As in `wrangler.jsonc`. */
const CREATES = 10;
const FAST_HUB = `
import { TaskHub as Hub } from 'lemondata-wasm/cloudflare';
export { RequestLimiter } from 'lemondata-wasm/cloudflare';
export class TaskHub extends Hub {
  settings(env) {
    return { ...super.settings(env), pollInterval: { min: 20, max: 20 } };
  }
}`;
/** No test needs this long: it ends one that would hang. */
const GUARD = { timeout: 120_000 };

let server;
let project;
let wrangler;

before(async () => {
  server = await startServer({ apiKey: KEY, taskMs: 50 });
  wrangler = ensureWrangler();
  project = installPacked();
  cpSync(join(root, 'examples', 'cloudflare-worker'), project.folder, { recursive: true });
  // The test does not wait at the provider's cadence.
  const main = join(project.folder, 'src', 'index.js');
  const hub = "export { RequestLimiter, TaskHub } from 'lemondata-wasm/cloudflare';";
  const code = readFileSync(main, 'utf8');
  assert.ok(code.includes(hub));
  writeFileSync(main, code.replace(hub, FAST_HUB));
}, GUARD);
after(async () => {
  project?.remove();
  await server.close();
});

/** Starts a command of wrangler in a group of its own, since it starts others. */
function start(...args) {
  const child = spawn(wrangler.node, [wrangler.script, ...args], {
    cwd: project.folder,
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: 'true', NO_COLOR: '1', FORCE_COLOR: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text) => {
      output.text += text;
      child.emit('output');
    });
  }
  const ended = new Promise((resolve) => child.on('close', resolve));
  const kill = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  };
  process.once('exit', kill);
  return {
    child,
    output,
    ended,
    async stop() {
      process.off('exit', kill);
      kill();
      await ended;
    },
  };
}

/** Uses the relay as the page that it is for. */
async function use(url) {
  server.reset();
  const lemon = new LemonData({
    baseUrl: url,
    relay: true,
    headers: { origin: PAGE },
    pollInterval: { min: 10, max: 20 },
    maxRetries: 0,
  });
  const done = await lemon.generateAndWait({ prompt: 'A lemon', model: 'ideogram-v3' });
  assert.equal(done.status, 'completed');
  assert.match(done.task_id, /^t_/);
  // The picture is the relay's own copy.
  assert.ok(done.data[0].url.startsWith(url), done.data[0].url);
  const picture = await fetch(done.data[0].url);
  assert.equal(picture.headers.get('content-type'), 'image/png');
  assert.ok((await picture.arrayBuffer()).byteLength > 100);
  const foreign = await fetch(`${url}/v1/images/generations`, {
    method: 'POST',
    headers: { origin: 'https://evil.example', 'content-type': 'application/json' },
    body: '{"prompt":"x"}',
  });
  assert.equal(foreign.status, 403);
  let creates = 1;
  // The binding counts by the minute of the clock, which may turn meanwhile: then as many pass again.
  await assert.rejects(async () => {
    for (; creates <= 2 * CREATES; creates += 1)
      await lemon.generate({ prompt: 'A lemon', model: 'ideogram-v3' });
  }, RateLimitError);
  assert.ok(creates >= CREATES, `${creates} passed`);
  // The limiter has them take turns: some are on their way still.
  while (server.counts.creates < creates) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(server.counts.creates, creates);
  for (const { path, headers, body } of server.counts.requests) {
    const isPicture = path.startsWith('/files/');
    assert.equal(headers.authorization, isPicture ? undefined : `Bearer ${KEY}`);
    assert.equal(body?.user, undefined);
  }
}

test('what wrangler would deploy works in workerd', GUARD, async (t) => {
  const { output, ended } = start('deploy', '--dry-run', '--outdir=out');
  assert.equal(await ended, 0, output.text);
  const config = readFileSync(join(project.folder, 'wrangler.jsonc'), 'utf8');
  const [, compatibilityDate] = /"compatibility_date": "(.*)"/.exec(config);
  const limit = (namespace_id, most) => ({ namespace_id, simple: { limit: most, period: 60 } });
  const out = join(project.folder, 'out');
  const printed = [];
  const code = readFileSync(join(out, 'index.js'), 'utf8');
  const wasm = [...code.matchAll(/from "\.\/(.*\.wasm)"/g)].map(([, path]) => path);
  const worker = new Miniflare({
    modules: [
      { type: 'ESModule', path: join(out, 'index.js') },
      ...wasm.map((path) => ({ type: 'CompiledWasm', path: join(out, path) })),
    ],
    modulesRoot: out,
    compatibilityDate,
    compatibilityFlags: ['enable_request_signal'],
    bindings: {
      LEMONDATA_API_KEY: KEY,
      RELAY_SECRET: SECRET,
      LEMONDATA_BASE_URL: server.url,
      ALLOWED_ORIGINS: `https://app.example ${PAGE}`,
    },
    durableObjects: {
      TASKS: { className: 'TaskHub', useSQLite: true },
      LIMITER: { className: 'RequestLimiter', useSQLite: true },
    },
    r2Buckets: ['PICTURES'],
    ratelimits: { CREATES: limit('1001', CREATES), POLLS: limit('1002', 120) },
    host: '127.0.0.1',
    handleRuntimeStdio(...streams) {
      for (const stream of streams) stream.on('data', (text) => printed.push(`${text}`));
    },
  });
  t.after(() => worker.dispose());
  await use(`${await worker.ready}`);
  assert.match(printed.join(''), /route: 'create'/);
  assert.ok(!printed.join('').includes(KEY), 'the key is in what the worker prints');
});

test("it works in wrangler's development server, with its secrets in .dev.vars", GUARD, async (t) => {
  writeFileSync(
    join(project.folder, '.dev.vars'),
    `LEMONDATA_API_KEY=${KEY}\nRELAY_SECRET="${SECRET}"\nLEMONDATA_BASE_URL=${server.url}\n`,
  );
  const { child, output, ended, stop } = start('dev', '--ip=127.0.0.1', '--port=0');
  t.after(stop);
  const url = await new Promise((resolve, reject) => {
    child.on('output', () => {
      const [address] = /http:\/\/127\.0\.0\.1:\d+/.exec(output.text) ?? [];
      if (address) resolve(address);
    });
    ended.then(() => reject(new Error(output.text)));
  });
  await use(url);
  assert.ok(!output.text.includes(KEY), 'the key is in what the worker prints');
});
