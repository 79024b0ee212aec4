/** The kind of runtime, asked at every call: test environments come and go within a process. */

/** Whether this is a web page or a worker of one, whose visitors can read all that it holds. */
export const inBrowser = () =>
  (typeof window === 'object' && typeof document === 'object') ||
  // Edge workers have no address of their own, and Deno's and Bun's workers are no visitor's.
  (typeof WorkerLocation === 'function' && typeof Deno === 'undefined' && typeof Bun === 'undefined');

/** Whether this is an edge worker: there, one request must not wait for another's promise. */
export const isEdge = /* @__PURE__ */ (() =>
  'WebSocketPair' in globalThis || typeof EdgeRuntime === 'string')();
