/** What the client needs in browsers, Node, Deno and Bun: the module travels within the file. */

// Both come from the build: the decoder, and the module as text.
import decoder from 'lemondata:decoder';
import wasm from 'lemondata:wasm';
import { compile } from '../client/decode.js';

export { default as glue } from 'lemondata:glue';
export { fillFromEnvironment } from '../client/environment.js';
export { inBrowser } from '../client/place.js';
export { Subscriber } from '../client/poll-sharing.js';

export const load = () => compile(decoder, wasm);
