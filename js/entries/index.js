/** The entry for browsers, Node, Deno and Bun: the module travels within the file. */

// Both come from the build: what wasm-bindgen generates, and the module as text.
import glue from 'lemondata:glue';
import wasm from 'lemondata:wasm';
import { connect } from '../client/client.js';
import { compile } from '../client/decode.js';
import { fillFromEnvironment } from '../client/environment.js';
import { inBrowser } from '../client/place.js';
import { Subscriber } from '../client/poll-sharing.js';

export * from './api.js';

connect(glue, () => compile(wasm), inBrowser, Subscriber, fillFromEnvironment);
