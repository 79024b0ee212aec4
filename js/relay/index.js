/** What users import as `lemondata-wasm/relay`. */

export { toCloudflare } from './adapters/cloudflare.js';
export { toHono } from './adapters/hono.js';
export { toNextRoute } from './adapters/next.js';
export { toNodeHandler } from './adapters/node.js';
export { anonymousByIp } from './anonymous.js';
export { memoryStore } from './idempotency.js';
export { cloudflareLimiter, memoryLimiter } from './limiters.js';
export { createRelay } from './relay.js';
export { sharedStore } from './shared-store.js';
