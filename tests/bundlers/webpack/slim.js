import { generate, init, waitForTask } from 'lemondata-wasm/slim';
import { exercise } from './exercise.js';

async function start() {
  await init(new URL('lemondata-wasm/lemondata.wasm', import.meta.url));
  const { apiKey, baseUrl } = Object.fromEntries(new URLSearchParams(location.search));
  return exercise({ generate, waitForTask }, { apiKey, baseUrl, dangerouslyAllowBrowser: true });
}

globalThis.result = start();
