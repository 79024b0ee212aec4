import { generate, waitForTask } from 'lemondata-wasm';
import { exercise, print } from './exercise.js';

// The environment would need a permission of its own.
const [baseUrl, apiKey] = Deno.args;
print(await exercise({ generate, waitForTask }, { apiKey, baseUrl }));
