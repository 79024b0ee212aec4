import { destination } from './destination.js';
import { generate } from './node_modules/lemondata-wasm/dist/index.js';

const worker = new Worker('./environment-worker.js', { type: 'module' });
const inWorker = new Promise((resolve, reject) => {
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => reject(new Error(message));
});
const inPage = destination(generate, { dangerouslyAllowBrowser: true });
globalThis.result = Promise.all([inPage, inWorker]);
