/** The entry for servers of Next.js, whose bundle may run in a worker of Cloudflare, which compiles no bytes. */

import decoder from 'lemondata:decoder';
import * as javascript from 'lemondata:javascript';
import glue from 'lemondata:javascript-glue';
import wasm from 'lemondata:wasm';
import { connect } from '../client/client.js';
import { compile } from '../client/decode.js';
import { fillFromEnvironment } from '../client/environment.js';
import { inBrowser, isEdge } from '../client/place.js';
import { Subscriber } from '../client/poll-sharing.js';

export * from './api.js';

connect(
  glue,
  () => (isEdge ? javascript : compile(decoder, wasm)),
  inBrowser,
  isEdge ? undefined : Subscriber,
  isEdge ? undefined : fillFromEnvironment,
);
