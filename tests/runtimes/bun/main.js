import { generate, waitForTask } from 'lemondata-wasm';
import { exercise, print } from './exercise.js';

const { LEMONDATA_API_KEY: apiKey, LEMONDATA_BASE_URL: baseUrl } = Bun.env;
print(await exercise({ generate, waitForTask }, { apiKey, baseUrl }));
