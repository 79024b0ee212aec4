/** A page whose calls are made by a worker. */

const worker = new Worker(new URL('./in-worker.js', import.meta.url), { type: 'module' });
globalThis.result = new Promise((resolve, reject) => {
  worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.result));
  worker.onerror = ({ message }) => reject(new Error(`the worker failed: ${message}`));
});
worker.postMessage({
  ...Object.fromEntries(new URLSearchParams(location.search)),
  dangerouslyAllowBrowser: true,
});
