/** What the client needs in Vercel's edge runtime, which marks the import of a module. */

import wasm from './lemondata.wasm?module';

export { default as glue } from 'lemondata:glue';
export { fillFromEnvironment, inBrowser, Subscriber } from './edge.js';

export const load = () => wasm;
