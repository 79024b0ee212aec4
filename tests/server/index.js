/**
 * The LemonData-compatible server of the tests: `lemondata-wasm/testing` as it is in `js/testing`, strict with keys, with
 * a decoder of PNGs, and with the counts that tests look at. See README.md.
 */
import { PNG } from 'pngjs';
import { listen } from '../../js/testing/serve.js';
import { Service, TEST_KEY } from '../../js/testing/service.js';

export { TEST_KEY };

/**
 * @typedef {import('../../js/testing/service.js').Options & { port?: number, isStrict?: boolean }} Options `isStrict` is
 *   the option `strict` of the package
 */

/**
 * @typedef {object} Server
 * @property {string} url without a trailing slash
 * @property {number} port
 * @property {string} apiKey
 * @property {Service['counts']} counts
 * @property {Service['tasks']} tasks
 * @property {Service['next']} next queues a scripted reply
 * @property {() => void} reset forgets tasks, pictures, counts, scripts and the limits of scenarios
 * @property {() => Promise<void>} close ends all connections at once
 */

/**
 * Starts a server on 127.0.0.1.
 *
 * @param {Options} [options]
 * @returns {Promise<Server>}
 */
export async function startServer({ port, isStrict, ...options } = {}) {
  const decodePng = (/** @type {Uint8Array} */ bytes) => PNG.sync.read(Buffer.from(bytes));
  const service = new Service({ apiKey: TEST_KEY, strict: isStrict, decodePng, ...options });
  const { apiKey, counts, tasks } = service;
  return {
    ...(await listen(service, port)),
    apiKey,
    counts,
    tasks,
    next: (script) => service.next(script),
    reset: () => service.reset(),
  };
}
