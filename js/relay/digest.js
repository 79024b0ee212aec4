/** A short text in place of a long or private one, as JSON in SHA-256. */
export const digest = (parts) => digestBytes(new TextEncoder().encode(JSON.stringify(parts)));

/** Tells two creates under one key apart. */
export async function fingerprintOf({ isEdit, fields, files }) {
  /** @type {unknown[]} */
  const parts = Object.entries(fields);
  if (isEdit) parts.push('edit');
  for (const { name, blob } of files) parts.push([name, await digestBytes(await blob.arrayBuffer())]);
  return digest(parts);
}

async function digestBytes(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
