/**
 * Signed references to tasks. A client gets them in place of the provider's ids, so that it can ask for the tasks
 * that it has created, and for no other, without the relay keeping any state.
 *
 * A reference tells the id and the poll path in the open; the signature covers them, the expiry and the identity,
 * which the reference does not tell: with another identity the signature does not fit.
 */

const VERSION = 'lemondata-relay-2';
const PATTERN = /^t_([\w-]+)\.([\w-]{43})$/;
/** No longer one is handed out, so that a longer one is not worth the time of a signature. */
const MAX_LENGTH = 4096;
/** A longer poll URL is left out, so that the reference stays within its length: the id will do. */
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

/** The routes that the service documents for polls, below the prefix of its base URL. */
const POLL_PATH = /^\/v1\/(?:images\/generations|images(?!\/(?:generations|edits)\/?$)|tasks)\/([^/]+)\/?$/;
/** The service's address where no other is set. */
const BASE_URL = 'https://api.lemondata.cc';

/**
 * The id that a poll URL of the service names, or `undefined` if it leads to anything but a documented poll route:
 * whatever is there would be fetched with the key and handed to the client.
 *
 * @param {string | undefined} pollUrl
 * @param {string} [baseUrl]
 * @returns {string | undefined}
 */
export function idInPollUrl(pollUrl, baseUrl = BASE_URL) {
  try {
    const base = new URL(baseUrl);
    const { origin, pathname } = new URL(pollUrl, base);
    const prefix = base.pathname.replace(/\/$/, '').replace(/\/v1$/, '');
    const path = pathname.startsWith(`${prefix}/v1/`) ? pathname.slice(prefix.length) : pathname;
    const id = decodeURIComponent(POLL_PATH.exec(path)[1]);
    // A service may take an encoded slash or dot for a plain one.
    return origin === base.origin && !/[/\\?#]|^\.*$/.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether an answer is about this task, or names none. Another task's answer may be another user's.
 *
 * @param {{ task_id: string, poll_url?: string }} task
 * @param {{ id?: unknown, task_id?: unknown }} answer
 * @param {string} [baseUrl]
 */
export function isAbout(task, { id, task_id }, baseUrl) {
  const known = [task.task_id, idInPollUrl(task.poll_url, baseUrl)];
  const named = [id, task_id].filter((name) => name !== undefined && name !== null);
  return named.length === 0 || named.some((name) => known.includes(String(name)));
}

/**
 * @param {string[]} secrets the first one signs, all of them are accepted
 * @param {{ ttlMs: number, now: () => number, kind: 'task' | 'hub' }} options a relay reads references of its own
 *   kind alone, also where another one has the same secret
 */
export function createReferences(secrets, { ttlMs, now, kind }) {
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
  const covered = (payload, identity) => encoder.encode(JSON.stringify([VERSION, kind, identity, payload]));

  return {
    /**
     * @param {{ task_id: string, poll_url?: string }} task
     * @param {string} identity
     * @returns {Promise<string>} fit for a path as it is
     * @throws {RangeError} if the id is too long for a reference that can be read again
     */
    async sign({ task_id, poll_url }, identity) {
      const expiry = Math.ceil((now() + ttlMs) / 1000);
      const path = poll_url?.length <= MAX_POLL_URL_LENGTH ? poll_url : '';
      if (task_id.length > MAX_LENGTH) throw tooLong(task_id);
      const payload = toBase64Url(encoder.encode(JSON.stringify([task_id, path, expiry])));
      const [key] = await imported();
      const signature = await crypto.subtle.sign('HMAC', key, covered(payload, identity));
      const reference = `t_${payload}.${toBase64Url(new Uint8Array(signature))}`;
      if (reference.length <= MAX_LENGTH) return reference;
      throw tooLong(task_id);
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
