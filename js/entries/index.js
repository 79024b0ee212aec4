/** The entry for browsers, Node, Deno and Bun: the module travels within the file. */

// All three come from the build: the decoder, what wasm-bindgen generates, and the module as text.
import decoder from 'lemondata:decoder';
import glue from 'lemondata:glue';
import wasm from 'lemondata:wasm';
import { connect } from '../client/client.js';
import { compile } from '../client/decode.js';
import { fillFromEnvironment } from '../client/environment.js';
import { inBrowser } from '../client/place.js';
import { Subscriber } from '../client/poll-sharing.js';

export * from './api.js';

connect(glue, () => compile(decoder, wasm), inBrowser, Subscriber, fillFromEnvironment);
