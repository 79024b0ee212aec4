import { options } from './call-worker.js';
import { exercise } from './exercise.js';
import { generate, waitForTask } from './node_modules/lemondata-wasm/dist/index.js';

globalThis.result = exercise({ generate, waitForTask }, options);
