/** The relay behind Node's own server. */

import { createServer } from 'node:http';
import { createRelay, toNodeHandler } from 'lemondata-wasm/relay';

const relay = createRelay({ apiKey: 'sk-x', secret: 'x'.repeat(32), authorize: () => 'ann', models: 'any' });
createServer(toNodeHandler(relay)).listen(0);
