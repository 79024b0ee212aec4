/** The relay's second half on Cloudflare: tasks that outlive pages, workers and deploys. */

export { durableHub } from './durable-hub.js';
export { FleetLimiter } from './fleet-limiter.js';
export { durableStore, OnceKey } from './once.js';
export { TaskHub } from './task-hub.js';
