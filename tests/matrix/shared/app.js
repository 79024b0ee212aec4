/** A page's script: what it needs stands in the page's address. */

import { generate, waitForTask } from 'lemondata-wasm';
import { exercise } from './exercise.js';

const { apiKey, baseUrl } = Object.fromEntries(new URLSearchParams(location.search));
const options = { apiKey, baseUrl, dangerouslyAllowBrowser: true };
globalThis.result = exercise({ generate, waitForTask }, options);
