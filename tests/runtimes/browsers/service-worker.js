import { ask } from './ask.js';

async function start() {
  await navigator.serviceWorker.register('./in-worker.js', { type: 'module' });
  const { active } = await navigator.serviceWorker.ready;
  return ask(active);
}

globalThis.result = start();
