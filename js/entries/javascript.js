/** The entry for places that run no WebAssembly: its core is the same, written as JavaScript by the build. */

import * as javascript from 'lemondata:javascript';
import glue from 'lemondata:javascript-glue';
import { connect } from '../client/client.js';
import { fillFromEnvironment } from '../client/environment.js';
import { inBrowser, isEdge } from '../client/place.js';
import { Subscriber } from '../client/poll-sharing.js';

export * from './api.js';

/** An app of React Native is in the hands of its users, as a page is of its visitors. */
const inApp = () => /** @type {any} */ (globalThis).navigator?.product === 'ReactNative';

connect(
  glue,
  () => javascript,
  () => inBrowser() || inApp(),
  isEdge ? undefined : Subscriber,
  isEdge ? undefined : fillFromEnvironment,
);
