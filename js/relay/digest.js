import { nodeCrypto } from './platform.js';

/**
 * A short text in place of a long or private one, as JSON in SHA-256.
 *
 * @returns {string | Promise<string>}
 */
export function digest(parts) {
  const text = JSON.stringify(parts);
  return (
    nodeCrypto?.createHash('sha256').update(text).digest('hex') ?? digestBytes(new TextEncoder().encode(text))
  );
}

/** Tells two creates under one key apart. */
export async function fingerprintOf({ isEdit, fields, files }) {
  /** @type {unknown[]} */
  const parts = Object.entries(fields);
  if (isEdit) parts.push('edit');
  for (const { name, blob } of files) parts.push([name, await digestBytes(await blob.arrayBuffer())]);
  return digest(parts);
}

/** Web Crypto hashes files in another thread, so that other requests go on. */
async function digestBytes(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
