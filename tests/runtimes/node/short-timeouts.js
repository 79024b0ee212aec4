/** Makes the time-outs of Node's own fetch milliseconds, in place of minutes. */

import { Agent, setGlobalDispatcher } from 'undici';

const { setTimeout: original } = globalThis;
/** The tick by which undici counts time-outs of a second and more. */
const TICK_MS = 499;
globalThis.setTimeout = (work, ms, ...more) => original(work, ms === TICK_MS ? 2 : ms, ...more);
setGlobalDispatcher(new Agent({ headersTimeout: 1000, bodyTimeout: 1000 }));
