/** The options of the package, from the address of the page. */
export const options = {
  ...Object.fromEntries(new URLSearchParams(location.search)),
  dangerouslyAllowBrowser: true,
};

/** Runs the exercise in a worker, and returns its result. */
export function callWorker(worker) {
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(options, [port2]);
  return new Promise((resolve, reject) => {
    port1.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.result));
    worker.onerror = ({ message }) => reject(new Error(`the worker failed: ${message}`));
  });
}
