/**
 * From the import of a client to the arrival of its first request at the server: in Node, in a page of Chromium,
 * and in an edge worker. On a slow line, from the navigation on.
 *
 * The arrival counts, because some clients prepare before `fetch` what others leave to it.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Miniflare } from 'miniflare';
import { chromium } from 'playwright-core';
import { compress } from '../scripts/build/measure.js';
import { ensureChromium } from '../scripts/lib/setup.js';
import { bundle, readWasm } from './bundle.js';
import { BASE, CLIENTS, clientFile, clientsWith } from './clients/index.js';
import { API_KEY } from './key.js';
import { writeLimit } from './limit.js';
import { compare, inTurns } from './measure.js';
import { startProcess, startServer } from './processes.js';

const POST = /^POST /;
const notInPages = ({ inPages }) => !inPages;

/** The clock of the machine, in milliseconds: the same for every process. */
const clock = () => Number(process.hrtime.bigint()) / 1e6;
const result = (values) => ({ unit: 'ms', rounds: values[BASE].length, rows: compare(values, BASE) });
const subjectsOf = (names, measure) => Object.fromEntries(names.map((name) => [name, () => measure(name)]));

/** Each import has its own process. */
async function startInNode(server, { rounds, seconds }) {
  const values = await inTurns(
    subjectsOf(clientsWith(notInPages), async (name) => {
      const arrived = server.arrival(POST);
      const process = await startProcess('children/start.js', [clientFile(name), server.url]);
      const { began } = await process.next();
      const ms = (await arrived) - began;
      await process.stop();
      return ms;
    }),
    { rounds, warmUp: 1, seconds },
  );
  return result(values);
}

/** Writes a page for each client, and the files of the bundle. */
async function writePages(folder) {
  const names = Object.keys(CLIENTS);
  for (const [index, name] of names.entries()) {
    const contents = `import { connect } from ${JSON.stringify(clientFile(name))};
      connect(location.origin, ${JSON.stringify(API_KEY)}).inline().then(() => { document.title = 'done'; });`;
    writeFile(folder, `${index}.js`, await bundle(contents, 'page'));
    const page = `<!doctype html><title>bench</title><script type="module" src="${index}.js"></script>`;
    writeFile(folder, `${index}.html`, page);
  }
  writeFile(folder, 'lemondata.wasm', readWasm());
}

/** Writes a file as the server sends it. */
const writeFile = (folder, name, contents) =>
  writeFileSync(join(folder, `${name}.br`), compress(Buffer.from(contents)));

/** The line and the processor of a phone, which Chromium emulates. */
const SLOW = { bitsPerSecond: 9e6, latencyMs: 40, slowdown: 4 };

/** Gives a page a slow line and processor. */
async function slowDown(page) {
  const session = await page.context().newCDPSession(page);
  const bytesPerSecond = SLOW.bitsPerSecond / 8;
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: SLOW.latencyMs,
    downloadThroughput: bytesPerSecond,
    uploadThroughput: bytesPerSecond,
  });
  await session.send('Emulation.setCPUThrottlingRate', { rate: SLOW.slowdown });
}

/**
 * Each client has a page in a fresh profile. The measurement begins with the request for the bundle, so that it
 * includes loading it from loopback, or where the page is slow with the navigation.
 */
async function startInChromium(server, { rounds, seconds, isSlow = false }) {
  const names = Object.keys(CLIENTS);
  const browser = await chromium.launch({ executablePath: ensureChromium().chromium });
  try {
    const values = await inTurns(
      subjectsOf(names, async (name) => {
        const index = names.indexOf(name);
        const context = await browser.newContext();
        const page = await context.newPage();
        if (isSlow) await slowDown(page);
        const navigated = clock();
        await page.goto(`${server.url}/files/${index}.html`);
        const loaded = await server.arrival(new RegExp(`^GET /files/${index}\\.js$`));
        const arrived = await server.arrival(POST);
        await page.waitForFunction(() => document.title === 'done');
        await context.close();
        return arrived - (isSlow ? navigated : loaded);
      }),
      { rounds, warmUp: 1, seconds },
    );
    return { ...result(values), version: browser.version() };
  } finally {
    await browser.close();
  }
}

/** Calls the worker of the client in the path. That worker imports its client in the call. */
const ROUTER = `export default {
  fetch: (request, env) => env[new URL(request.url).pathname.slice(1)].fetch(request),
};`;
const WORKER = `export default {
  async fetch(request, env) {
    const { connect } = await import('./client.mjs');
    await connect(env.URL, env.KEY).inline();
    return new Response();
  },
};`;

/** Each round has its own runtime, with a worker, and thus an isolate, for each client. */
async function startInWorkerd(server, { rounds, seconds }) {
  const names = clientsWith(notInPages);
  const bundles = {};
  for (const name of names) {
    bundles[name] = new TextDecoder().decode(
      await bundle(`export { connect } from ${JSON.stringify(clientFile(name, 'worker'))};`, 'worker'),
    );
  }
  const compatibility = { compatibilityDate: '2026-07-30', compatibilityFlags: ['nodejs_compat'] };
  const ids = Object.fromEntries(names.map((name, index) => [name, `client${index}`]));
  /** @returns {import('miniflare').WorkerOptions} */
  const worker = (id, client) => ({
    name: id,
    ...compatibility,
    modules: [
      { type: 'ESModule', path: 'worker.mjs', contents: WORKER },
      { type: 'ESModule', path: 'client.mjs', contents: client },
      { type: 'CompiledWasm', path: 'lemondata.wasm', contents: readWasm() },
    ],
    bindings: { URL: server.url, KEY: API_KEY },
  });
  /** @type {import('miniflare').WorkerOptions[]} */
  const workers = [
    {
      name: 'router',
      ...compatibility,
      modules: [{ type: 'ESModule', path: 'router.mjs', contents: ROUTER }],
      serviceBindings: Object.fromEntries(['warmUp', ...Object.values(ids)].map((id) => [id, id])),
    },
    // The first call wakes up everything that the clients share.
    worker('warmUp', bundles[BASE]),
    ...names.map((name) => worker(ids[name], bundles[name])),
  ];
  /** @type {Miniflare} */
  let runtime;
  /** What measures each client. The first of a round starts the runtime, and the last one ends it. */
  let left = 0;
  const subject = (name) => async () => {
    if (left === 0) {
      runtime = new Miniflare({ workers });
      for (let time = 0; time < 3; time += 1) await call('warmUp');
      left = names.length;
    }
    const ms = await call(ids[name]);
    left -= 1;
    if (left === 0) await runtime.dispose();
    return ms;
  };
  async function call(id) {
    const arrived = server.arrival(POST);
    const began = clock();
    const response = await runtime.dispatchFetch(`http://localhost/${id}`);
    if (!response.ok) throw new Error(await response.text());
    return (await arrived) - began;
  }
  const values = await inTurns(Object.fromEntries(names.map((name) => [name, subject(name)])), {
    rounds,
    seconds,
  });
  return result(values);
}

/** The time that each may take: those of pages need ten pages a round, and a slow page more than a second. */
const SECONDS = { node: 30, chromium: 50, workerd: 35, slow: 95 };
const MEASURES = {
  node: startInNode,
  chromium: startInChromium,
  workerd: startInWorkerd,
  slow: (server, options) => startInChromium(server, { ...options, isSlow: true }),
};

export async function* benchStart({ measures, rounds }) {
  const folder = mkdtempSync(join(tmpdir(), 'lemondata-wasm-bench-'));
  const server = await startServer(folder);
  server.watch();
  try {
    await writeLimit();
    await writePages(folder);
    for (const measure of measures)
      yield { [measure]: await MEASURES[measure](server, { rounds, seconds: SECONDS[measure] }) };
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}
