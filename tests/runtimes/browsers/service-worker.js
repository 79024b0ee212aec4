import { callWorker } from './call-worker.js';

async function start() {
  await navigator.serviceWorker.register('./in-worker.js', { type: 'module' });
  const { active } = await navigator.serviceWorker.ready;
  return callWorker(active);
}

globalThis.result = start();
