/** What the package needs, from the address of the page. */
export const options = {
  ...Object.fromEntries(new URLSearchParams(location.search)),
  dangerouslyAllowBrowser: true,
};

/** Hands the work to a worker, and returns its result. */
export function ask(worker) {
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(options, [port2]);
  return new Promise((resolve, reject) => {
    port1.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.result));
    worker.onerror = ({ message }) => reject(new Error(`the worker failed: ${message}`));
  });
}
