import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { generate, init, waitForTask } from 'lemondata-wasm/slim';
import { exercise, print } from './exercise.js';

await init(await readFile(createRequire(import.meta.url).resolve('lemondata-wasm/lemondata.wasm')));
const { LEMONDATA_API_KEY: apiKey, LEMONDATA_BASE_URL: baseUrl } = process.env;
print(await exercise({ generate, waitForTask }, { apiKey, baseUrl }));
