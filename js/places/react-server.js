/** What the client needs in servers of Next.js, whose bundle may run in a worker of Cloudflare, which compiles no bytes. */

import decoder from 'lemondata:decoder';
import * as javascript from 'lemondata:javascript';
import wasm from 'lemondata:wasm';
import { compile } from '../client/decode.js';
import { isEdge } from '../client/place.js';

export { default as glue } from 'lemondata:javascript-glue';
export { inBrowser } from '../client/place.js';
export { fillFromEnvironment, Subscriber } from './anywhere.js';

export const load = () => (isEdge ? javascript : compile(decoder, wasm));
