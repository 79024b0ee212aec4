/** Cloudflare answers requests in isolates: each has 128 MB of memory, and may end at any time. */
export const isCloudflare = /** @type {any} */ (globalThis).navigator?.userAgent === 'Cloudflare-Workers';

/**
 * Node's own hashes, in runtimes that have them. They return at once; those of Web Crypto take a promise and a way
 * through another thread, which cost six times the hash of a short text.
 *
 * @type {Record<'createHash' | 'createHmac' | 'createSecretKey' | 'timingSafeEqual', Function> | undefined}
 */
export const nodeCrypto = /* @__PURE__ */ (() => {
  try {
    return globalThis.process?.getBuiltinModule?.('node:crypto');
  } catch {
    // The edge runtime of Next.js has the function in development, and throws in it.
    return undefined;
  }
})();
