/** What the client needs in Vercel's edge runtime, which takes a module only as a marked import. */

import wasm from './lemondata.wasm?module';

export { default as glue } from 'lemondata:glue';
export { fillFromEnvironment, inBrowser, Subscriber } from './edge.js';

export const load = () => wasm;
