/**
 * Signed references to tasks. A client gets them in place of the provider's ids, so that it can ask for the tasks
 * that it has created, and for no other, without the relay keeping any state.
 *
 * A reference tells the id and the poll path in the open; the signature covers them, the expiry and the identity,
 * which the reference does not tell: with another identity the signature does not fit.
 */

const VERSION = 'lemondata-relay-1';
const PATTERN = /^t_([\w-]+)\.([\w-]{43})$/;
/** Longer than any that is handed out; what is longer is not worth a signature's time. */
const MAX_LENGTH = 4096;
/** A longer poll URL is left out, so that the reference stays within its length: the id will do. */
const MAX_POLL_URL_LENGTH = 1024;

const encoder = new TextEncoder();

const toBase64Url = (bytes) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

const fromBase64Url = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));

/**
 * @param {string[]} secrets the first one signs, all of them are accepted
 * @param {{ ttlMs: number, now: () => number }} options
 */
export function createReferences(secrets, { ttlMs, now }) {
  const HMAC = { name: 'HMAC', hash: 'SHA-256' };
  let keys;
  /** It keeps no promise: in a worker, no request may wait for another's. */
  const imported = async () => {
    const raw = secrets.map((secret) => encoder.encode(secret));
    keys ??= await Promise.all(
      raw.map((bytes) => crypto.subtle.importKey('raw', bytes, HMAC, false, ['sign', 'verify'])),
    );
    return keys;
  };
  // As JSON, no field can run into the next.
  const covered = (payload, identity) => encoder.encode(JSON.stringify([VERSION, identity, payload]));

  return {
    /**
     * @param {{ task_id: string, poll_url?: string }} task
     * @param {string} identity
     * @returns {Promise<string>} fit for a path as it is
     */
    async sign({ task_id, poll_url }, identity) {
      const expiry = Math.ceil((now() + ttlMs) / 1000);
      const path = poll_url?.length <= MAX_POLL_URL_LENGTH ? poll_url : '';
      const payload = toBase64Url(encoder.encode(JSON.stringify([task_id, path, expiry])));
      const [key] = await imported();
      const signature = await crypto.subtle.sign('HMAC', key, covered(payload, identity));
      return `t_${payload}.${toBase64Url(new Uint8Array(signature))}`;
    },

    /**
     * @param {string} reference
     * @param {string} identity
     * @returns {Promise<{ task_id: string, poll_url?: string } | undefined>} none for one that is forged, expired
     *   or of another identity
     */
    async read(reference, identity) {
      const match = reference.length <= MAX_LENGTH && PATTERN.exec(reference);
      if (!match) return undefined;
      const [, payload, signature] = match;
      const bytes = fromBase64Url(signature);
      // The last character has bits that decoding ignores: one reference has one spelling.
      if (toBase64Url(bytes) !== signature) return undefined;
      for (const key of await imported()) {
        // Takes the same time wherever a signature is wrong.
        if (!(await crypto.subtle.verify('HMAC', key, bytes, covered(payload, identity)))) continue;
        const [task_id, poll_url, expiry] = JSON.parse(new TextDecoder().decode(fromBase64Url(payload)));
        if (expiry * 1000 <= now()) return undefined;
        return poll_url ? { task_id, poll_url } : { task_id };
      }
      return undefined;
    },
  };
}
