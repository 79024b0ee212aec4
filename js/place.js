/** What kind of place this is, asked at every call: test environments come and go within a process. */

/** Whether this is a web page or a worker of one, whose visitors can read all that it holds. */
export const inBrowser = () =>
  (typeof window === 'object' && typeof document === 'object') ||
  // Edge workers have no address of their own, and Deno's and Bun's workers are no visitor's.
  (typeof WorkerLocation === 'function' && typeof Deno === 'undefined' && typeof Bun === 'undefined');

/** The address that a relative base URL is relative to. A worker made of a blob stands at its page's origin. */
export const pageAddress = () =>
  (globalThis.document?.baseURI ?? globalThis.location?.href)?.replace(/^blob:/, '');

/** An edge worker: nobody's page, wherever it runs. */
export const nowhere = { inBrowser: () => false, pageAddress: () => undefined };
