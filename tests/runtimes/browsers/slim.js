import { options } from './call-worker.js';
import { exercise } from './exercise.js';
import { generate, init, waitForTask } from './node_modules/lemondata-wasm/dist/slim.js';

async function start() {
  await init(new URL('./node_modules/lemondata-wasm/dist/lemondata.wasm', import.meta.url));
  return exercise({ generate, waitForTask }, options);
}

globalThis.result = start();
