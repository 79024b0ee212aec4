/** What the client needs in places that run no WebAssembly: its core, written as JavaScript by the build. */

import * as javascript from 'lemondata:javascript';
import { inBrowser as inPage } from '../client/place.js';

export { default as glue } from 'lemondata:javascript-glue';
export { fillFromEnvironment, Subscriber } from './anywhere.js';

/** An app of React Native is in the hands of its users, as a page is of its visitors. */
const inApp = () => /** @type {any} */ (globalThis).navigator?.product === 'ReactNative';

export const inBrowser = () => inPage() || inApp();
export const load = () => javascript;
