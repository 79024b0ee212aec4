/** The commands that serve until Ctrl-C: `mock`, a service, and `relay`, what stands between a page and a service. */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRelay, toNodeHandler } from 'lemondata-wasm/relay';
import { mockService, serve } from 'lemondata-wasm/testing';
import { numberOf, UsageError } from './arguments.js';
import { connectionOf } from './connection.js';
import { assign } from './shell.js';

/** @typedef {import('./run.js').Command} Command */

/** Where the pages of the docs look for a relay. */
const RELAY_PATH = '/api/lemondata';

/** @type {Command} */
export const mock = {
  usage: `mock [--port <number>]

  --port <number>         default 8787
  --host <address>        where it listens, default 127.0.0.1; 0.0.0.0 lets in other machines and containers
  --key <key>             the only key that it accepts; default: any, and none
  --task-ms <number>      the whole time of a task in milliseconds, default 6000
  --strict                as strict as the service of 2026
  --cors                  lets pages of any origin read its answers

A LemonData-compatible service on this machine: nothing is billed, and a model such as "test-error-429" selects an error.`,
  options: {
    port: { type: 'string', default: '8787' },
    host: { type: 'string' },
    key: { type: 'string' },
    'task-ms': { type: 'string', default: '6000' },
    strict: { type: 'boolean' },
    cors: { type: 'boolean' },
  },
  async run({ values }) {
    const port = numberOf(values, 'port', 0, 65_535);
    const { host, key: apiKey, strict, cors } = values;
    const taskMs = numberOf(values, 'task-ms', 0, 3_600_000);
    const options = { port, host, apiKey, taskMs, strict, cors, log: console.log };
    const server = await serve(options).catch((error) => refuseAddress(error, port, host));
    console.log(`A service that bills nothing: ${server.url}

In another terminal:
  ${assign({ LEMONDATA_BASE_URL: server.url, LEMONDATA_API_KEY: server.apiKey })}
  npx lemondata-wasm generate "A lemon" -m gpt-image-2 -o lemon.png
`);
    await interrupted();
    await server.close();
  },
};

/** @type {Command} */
export const relay = {
  usage: `relay [--port <number>]

  --port <number>         default 8789
  -m, --model <model>     a model on offer; may be repeated; default: any
  --origin <origin>       a page of another origin that may call it, such as http://localhost:5173; may be repeated
  --mock                  needs no key: the pictures come from a service in memory

A relay for development. It listens on this machine alone, and lets in every caller there is; each picture is billed to
your key. In production, write one that knows its users: docs/relay.md.`,
  options: {
    port: { type: 'string', default: '8789' },
    model: { type: 'string', short: 'm', multiple: true },
    origin: { type: 'string', multiple: true },
    mock: { type: 'boolean' },
  },
  async run({ values }) {
    const port = numberOf(values, 'port', 0, 65_535);
    const { apiKey, ...upstream } = upstreamOf(values.mock);
    const handle = relayOf({
      ...upstream,
      apiKey,
      // References end with this process, which is soon enough for development.
      secret: randomBytes(32).toString('hex'),
      authorize: () => 'developer',
      models: values.model ?? 'any',
      allowedOrigins: ['self', ...(values.origin ?? [])],
    });
    const server = createServer(toNodeHandler(handle));
    server.listen(port, '127.0.0.1');
    await once(server, 'listening').catch((error) => refuseAddress(error, port));
    const { port: actual } = /** @type {import('node:net').AddressInfo} */ (server.address());
    console.log(`A relay for development: http://localhost:${actual}${RELAY_PATH}

In a page:
  new LemonData({ baseUrl: '${RELAY_PATH}', relay: true })

In vite.config.js, so that the page reaches it:
  server: { proxy: { '${RELAY_PATH}': { target: 'http://127.0.0.1:${actual}', changeOrigin: false } } }
`);
    await interrupted();
    server.close();
    server.closeAllConnections();
  },
};

/** What it refuses is what the caller has entered. @param {import('lemondata-wasm/relay').RelayOptions} options */
function relayOf(options) {
  try {
    return createRelay(options);
  } catch (error) {
    throw new UsageError(error.message);
  }
}

/** @param {boolean} [isMock] @returns {{ apiKey?: string, baseUrl?: string, fetch?: typeof fetch }} */
function upstreamOf(isMock) {
  if (!isMock) return connectionOf(process.env);
  const { apiKey, fetch } = mockService({ dataUrls: true });
  return { apiKey, fetch };
}

/** @param {any} error @param {number | undefined} port @param {string} [host] @returns {never} */
function refuseAddress(error, port, host) {
  if (host && /^(EADDRNOTAVAIL|EINVAL|ENOTFOUND|EAI_AGAIN)$/.test(error.code)) {
    throw new UsageError(`--host must be an address of this machine, such as 0.0.0.0, not '${host}'.`);
  }
  if (error.code !== 'EADDRINUSE') throw error;
  throw new UsageError(`Port ${port} is in use. Choose another one: --port ${Number(port) + 1}`);
}

/** Ctrl-C, or the end that a supervisor asks for. */
const interrupted = () => Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
