/**
 * Signed references to tasks. A client gets them in place of the provider's ids. It can poll the tasks that it has
 * created, and no others, and the relay keeps no state.
 *
 * A reference shows the id and the poll path. Its signature covers them, the expiry and the identity. The identity
 * does not stand in the reference: under another identity, the signature is wrong.
 */

const VERSION = 'lemondata-relay-2';
const PATTERN = /^t_([\w-]+)\.([\w-]{43})$/;
/** The relay hands out no longer one, so it verifies no longer one. */
const MAX_LENGTH = 4096;
/** A longer poll URL is left out, so that the reference stays within its length. The id is enough to poll. */
const MAX_POLL_URL_LENGTH = 1024;

const encoder = new TextEncoder();

const tooLong = (id) =>
  new RangeError(`The id of a task is too long for a reference: ${id.length} characters.`);

const toBase64Url = (bytes) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

const fromBase64Url = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));

/**
 * @param {string[]} secrets the first one signs, all of them are accepted
 * @param {{ ttlMs: number, now: () => number, kind: 'task' | 'hub' }} options a relay reads references of its own
 *   kind alone, even if another relay has the same secret
 */
export function createReferences(secrets, { ttlMs, now, kind }) {
  const HMAC = { name: 'HMAC', hash: 'SHA-256' };
  let keys;
  /** Keeps keys, not a promise of them: in a worker, no request may wait for another's. */
  const importKeys = async () => {
    const raw = secrets.map((secret) => encoder.encode(secret));
    keys ??= await Promise.all(
      raw.map((bytes) => crypto.subtle.importKey('raw', bytes, HMAC, false, ['sign', 'verify'])),
    );
    return keys;
  };
  // As JSON, no field can run into the next.
  const covered = (payload, identity) => encoder.encode(JSON.stringify([VERSION, kind, identity, payload]));

  return {
    /**
     * @param {{ task_id: string, poll_url?: string }} task
     * @param {string} identity
     * @returns {Promise<string>} needs no encoding in a path
     * @throws {RangeError} if the id is too long for a reference that can be read again
     */
    async sign({ task_id, poll_url }, identity) {
      const expiry = Math.ceil((now() + ttlMs) / 1000);
      const path = poll_url?.length <= MAX_POLL_URL_LENGTH ? poll_url : '';
      if (task_id.length > MAX_LENGTH) throw tooLong(task_id);
      const payload = toBase64Url(encoder.encode(JSON.stringify([task_id, path, expiry])));
      const [key] = await importKeys();
      const signature = await crypto.subtle.sign('HMAC', key, covered(payload, identity));
      const reference = `t_${payload}.${toBase64Url(new Uint8Array(signature))}`;
      if (reference.length <= MAX_LENGTH) return reference;
      throw tooLong(task_id);
    },

    /**
     * @param {string} reference
     * @param {string} identity
     * @returns {Promise<{ task_id: string, poll_url?: string } | undefined>} nothing if the reference is forged,
     *   expired or another identity's
     */
    async read(reference, identity) {
      const match = reference.length <= MAX_LENGTH && PATTERN.exec(reference);
      if (!match) return undefined;
      const [, payload, signature] = match;
      const bytes = fromBase64Url(signature);
      // Decoding ignores some bits of the last character. One reference has one spelling.
      if (toBase64Url(bytes) !== signature) return undefined;
      for (const key of await importKeys()) {
        // The time that this takes does not tell where a signature is wrong.
        if (!(await crypto.subtle.verify('HMAC', key, bytes, covered(payload, identity)))) continue;
        const [task_id, poll_url, expiry] = JSON.parse(new TextDecoder().decode(fromBase64Url(payload)));
        if (expiry * 1000 <= now()) return undefined;
        return poll_url ? { task_id, poll_url } : { task_id };
      }
      return undefined;
    },
  };
}
