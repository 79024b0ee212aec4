/** An app of React Native. */

import { generate, LemonData, waitForTask } from 'lemondata-wasm';
import { init } from 'lemondata-wasm/slim';
import { exercise } from './exercise.js';

const options = { ...globalThis.settings, dangerouslyAllowBrowser: true };
globalThis.result = exercise({ generate, waitForTask }, options);

// An entry of its own, which resolvers that ignore `exports` find in a folder.
globalThis.init = init;

// Users of an app can read its key.
globalThis.refused = generate({ prompt: 'a lemon' }, globalThis.settings);

// The controller of React Native knows no reasons.
const signal = { aborted: true, addEventListener() {}, removeEventListener() {} };
globalThis.aborted = new LemonData({ ...options, signal }).generate({ prompt: 'a lemon' });
