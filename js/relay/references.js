/**
 * Signed references to tasks. A client gets them in place of the provider's ids. It can poll the tasks that it has
 * created, and no others, and the relay keeps no state.
 *
 * A reference shows the id and the poll path. Its signature covers them, the expiry and the owner, which is an identity
 * or all who hold the reference. The owner does not stand in the reference: under another one, the signature is wrong.
 */

import { nodeCrypto } from './platform.js';

const VERSION = 'lemondata-relay-2';
const PATTERN = /^t_([\w-]+)\.([\w-]{43})$/;
/** A longer reference is neither handed out nor verified. */
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
 * How signatures are made and compared. The time of a comparison does not tell where a signature is wrong.
 *
 * @typedef {object} Signer
 * @property {(text: string) => string | Promise<string>} sign by the first secret, in base64url
 * @property {(text: string, signature: string) => boolean | Promise<boolean>} verify by any of them
 */

/** @returns {Signer} */
function nodeSigner({ createHmac, createSecretKey, timingSafeEqual }, secrets) {
  const keys = secrets.map((secret) => createSecretKey(encoder.encode(secret)));
  const signBy = (key, text) => createHmac('sha256', key).update(text).digest('base64url');
  return {
    sign: (text) => signBy(keys[0], text),
    verify: (text, signature) =>
      keys.some((key) => timingSafeEqual(encoder.encode(signBy(key, text)), encoder.encode(signature))),
  };
}

/** @returns {Signer} */
function webSigner(secrets) {
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
  return {
    async sign(text) {
      const [key] = await importKeys();
      return toBase64Url(new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(text))));
    },
    async verify(text, signature) {
      const bytes = fromBase64Url(signature);
      // Decoding ignores some bits of the last character. One reference has one spelling.
      if (toBase64Url(bytes) !== signature) return false;
      for (const key of await importKeys()) {
        if (await crypto.subtle.verify('HMAC', key, bytes, encoder.encode(text))) return true;
      }
      return false;
    },
  };
}

/**
 * @param {string[]} secrets the first one signs, all of them are accepted
 * @param {{ ttlMs: number, now: () => number, kind: 'task' | 'hub' }} options a relay reads references of its own
 *   kind alone, even if another relay has the same secret
 * @param {typeof nodeCrypto} [node]
 */
export function createReferences(secrets, { ttlMs, now, kind }, node = nodeCrypto) {
  const { sign, verify } = node ? nodeSigner(node, secrets) : webSigner(secrets);
  // As JSON, no field can run into the next.
  const covered = (payload, owner) => JSON.stringify([VERSION, kind, owner, payload]);

  /**
   * When a reference expires, in seconds: the next of the times that are a multiple of `ttlMs` after the create. Until
   * then, all answers name the task alike, so that an application can use the name as a key. No reference lives for
   * longer than `ttlMs`.
   */
  function expiryOf(createdAt) {
    const lives = Math.floor(Math.max(0, now() - createdAt) / ttlMs) + 1;
    return Math.ceil((createdAt + lives * ttlMs) / 1000);
  }

  return {
    /**
     * @param {{ task_id: string, poll_url?: string }} task
     * @param {string | null} owner an identity, or `null` for all who hold the reference
     * @param {number} [createdAt] of a task that is signed more than once, in milliseconds
     * @returns {Promise<string>} needs no encoding in a path
     * @throws {RangeError} if the id is too long for a reference that can be read again
     */
    async sign({ task_id, poll_url }, owner, createdAt = now()) {
      const expiry = expiryOf(createdAt);
      const path = poll_url?.length <= MAX_POLL_URL_LENGTH ? poll_url : '';
      if (task_id.length > MAX_LENGTH) throw tooLong(task_id);
      const payload = toBase64Url(encoder.encode(JSON.stringify([task_id, path, expiry])));
      const reference = `t_${payload}.${await sign(covered(payload, owner))}`;
      if (reference.length <= MAX_LENGTH) return reference;
      throw tooLong(task_id);
    },

    /**
     * @param {string} reference
     * @param {string | null} owner
     * @returns {Promise<{ task_id: string, poll_url?: string } | undefined>} nothing if the reference is forged,
     *   expired or another owner's
     */
    async read(reference, owner) {
      const match = reference.length <= MAX_LENGTH && PATTERN.exec(reference);
      if (!match) return undefined;
      const [, payload, signature] = match;
      if (!(await verify(covered(payload, owner), signature))) return undefined;
      const [task_id, poll_url, expiry] = JSON.parse(new TextDecoder().decode(fromBase64Url(payload)));
      if (expiry * 1000 <= now()) return undefined;
      return poll_url ? { task_id, poll_url } : { task_id };
    },
  };
}
