/** An app of React Native. */

import { generate, LemonData, waitForTask } from 'lemondata-wasm';
import { init } from 'lemondata-wasm/slim';
import { exercise } from './exercise.js';

const { apiKey, baseUrl } = globalThis.settings;
globalThis.result = exercise({ generate, waitForTask }, { apiKey, baseUrl });

// An entry of its own, which resolvers that ignore `exports` find in a folder.
globalThis.init = init;

// The controller of React Native knows no reasons.
const signal = { aborted: true, addEventListener() {}, removeEventListener() {} };
globalThis.aborted = new LemonData({ apiKey, baseUrl, signal }).generate({ prompt: 'a lemon' });
