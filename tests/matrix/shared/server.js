/** A program of a server: what it needs stands in its environment. */

import { generate, waitForTask } from 'lemondata-wasm';
import { exercise, print } from './exercise.js';

const { LEMONDATA_API_KEY: apiKey, LEMONDATA_BASE_URL: baseUrl } = process.env;
print(await exercise({ generate, waitForTask }, { apiKey, baseUrl }));
