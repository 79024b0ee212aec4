/** The relay's second half on Cloudflare: tasks that outlive pages, workers and deploys. */

export { durableHub } from './durable-hub.js';
export { durableStore, IdempotencyKeyObject } from './idempotency.js';
export { RequestLimiter } from './limiter.js';
export { TaskHub } from './task-hub.js';
