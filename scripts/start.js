/**
 * `npm start`: makes ready what a fresh clone lacks, shows the package at work in Node, and serves the page.
 *
 * Only what a fresh clone has may be imported at the top; the rest is imported once it is there.
 */

import { parseArgs } from 'node:util';
import { servicesOf } from '../js/cli/services.js';
import { buildPackage } from './build/index.js';
import { isBuilt, nodeModules } from './lib/prepare.js';
import { step } from './lib/run.js';

const USAGE = `npm start -- [options]

  --port <number>   of the page, default 8788; the next free one when it is taken
  --no-demo         serve the page only

A key in the environment sends everything to the real service, which bills it: LEMONDATA_API_KEY to
https://api.lemondata.cc, TOKENLAB_API_KEY to https://api.tokenlab.sh, either of them to LEMONDATA_BASE_URL where
that is set. Without a key, the embedded test server answers.
`;

/** Long enough to see a task pass through all its states at the usual cadence. */
const TASK_MS = 9000;
/** How many ports are tried. */
const PORTS = 20;

/** One that usually answers at once, one that usually answers with a task; the cheap ones of each. */
const DEMO = [
  {
    title: 'an inline answer',
    request: { model: 'gpt-image-2', prompt: 'A lemon on a beach', quality: 'low' },
  },
  {
    title: 'a task',
    request: { model: 'ideogram-v3', prompt: 'A lemon tree above a quiet sea, first light' },
  },
];

/** Ends whatever is under way; then the servers close, and with them the process. */
const stopping = new AbortController();

const { port, demo } = readOptions();
const closers = [];
const upstream = await prepare();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stopping.abort());
try {
  await start();
  if (!stopping.signal.aborted)
    await new Promise((resolve) => stopping.signal.addEventListener('abort', resolve));
  console.log('\nStopped.');
} catch (error) {
  // What the system refuses, such as a port, it says in a sentence; anything else is a bug.
  console.error('\n', error.code ? error.message : error);
  process.exitCode = 1;
} finally {
  for (const close of closers.reverse()) await close();
}

/** Makes what is missing, all at once, and returns where requests go. */
async function prepare() {
  const packages = nodeModules();
  try {
    const build = isBuilt() ? undefined : step('build the package', () => buildPackage({ packages }));
    return (await Promise.all([packages.then(chooseUpstream), build]))[0];
  } catch (error) {
    console.error(`\n${error.message}`);
    process.exit(1);
  }
}

async function start() {
  const page = await servePageNear(port, upstream);
  closers.push(page.close);
  if (demo) {
    for (const { title, request } of DEMO) await show(title, request, upstream);
  }
  if (stopping.signal.aborted) return;
  step(`the page: ${page.url}`);
  if (page.port !== port) {
    // A browser keeps them by the address. Without a word, they would seem to be lost.
    console.log(
      `  Port ${port} is taken, maybe by another npm start. The pictures that were made there are shown there only.`,
    );
  }
  console.log('  Ctrl-C ends it.');
}

/** The service that there is a key for, else the embedded server. */
async function chooseUpstream() {
  const [service] = servicesOf(process.env);
  if (service) {
    step(`use ${service.url} with ${service.variable}: every picture is billed`);
    return service;
  }
  const { startServer } = await import('../tests/server/index.js');
  const server = await startServer({ taskMs: TASK_MS });
  closers.push(server.close);
  step(`use the embedded test server, ${server.url}: nothing is billed`);
  console.log('  For the real service, set LEMONDATA_API_KEY or TOKENLAB_API_KEY.');
  return { url: server.url, key: server.apiKey };
}

/** Serves the page on the first free port from this one on. */
async function servePageNear(first, upstream) {
  const { servePage } = await import('./lib/serve-page.js');
  const last = Math.min(first + PORTS - 1, 65_535);
  for (let candidate = first; ; candidate += 1) {
    try {
      return await servePage({ upstream, port: candidate });
    } catch (error) {
      if (error.code !== 'EADDRINUSE' || candidate === last) throw error;
    }
  }
}

/** Generates one picture with the built package, and prints each state as it comes. */
async function show(title, request, upstream) {
  if (stopping.signal.aborted) return;
  // The package by its own name, as an application imports it.
  const { generateAndWait } = await import('lemondata-wasm');
  step(`${title}: generateAndWait({ model: '${request.model}', prompt: '${request.prompt}' })`);
  const startedAt = performance.now();
  let lastLine;
  const print = (state, detail = '') => {
    const line = `${state.padEnd(11)} ${detail}`.trimEnd();
    if (line === lastLine) return;
    lastLine = line;
    console.log(`  ${((performance.now() - startedAt) / 1000).toFixed(1).padStart(5)} s  ${line}`);
  };
  print('sent');
  try {
    const { data = [] } = await generateAndWait(request, {
      apiKey: upstream.key,
      baseUrl: upstream.url,
      signal: stopping.signal,
      onTask: ({ task_id }) => print('task', task_id),
      onUpdate(task) {
        const progress = 'progress' in task ? `${task.progress} %` : '';
        if (task.status !== 'completed') print(task.status, progress);
      },
    });
    for (const { url } of data) print('completed', url ?? 'the picture is in the answer');
  } catch (error) {
    if (stopping.signal.aborted) return;
    print('failed', `${error.name}: ${error.message}`);
    if (error.outcome) print('', `outcome: ${error.outcome}`);
  }
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '8788' },
        'no-demo': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(USAGE);
      process.exit(0);
    }
    const number = Number(values.port);
    if (!/^\d+$/.test(values.port) || number < 1 || number > 65_535) {
      throw new Error(`--port must be a number from 1 to 65535, not '${values.port}'`);
    }
    return { port: number, demo: !values['no-demo'] };
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}
