/** A relay in front of the upstream whose URL is the argument. */

import { createServer } from 'node:http';
import { createRelay, memoryStore, toNodeHandler } from 'lemondata-wasm/relay';
import { urlOf } from './url.js';

const relay = createRelay({
  apiKey: 'sk-bench',
  baseUrl: process.argv[2],
  secret: 'a secret of a bench, which is no secret',
  authorize: () => 'bench',
  models: 'any',
  limiter: false,
  store: memoryStore(),
});
const server = createServer(toNodeHandler(relay));
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send(urlOf(server)));
