/** Cloudflare answers requests in isolates: each has 128 MB of memory, and may end at any time. */
export const isCloudflare = /** @type {any} */ (globalThis).navigator?.userAgent === 'Cloudflare-Workers';
