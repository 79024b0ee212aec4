/** The options of a call, and what some of them come to. */

import { NAMES, OPTION_COUNT } from './abi.gen.js';

/** An option that cannot be read is of no type that is allowed. */
const UNREADABLE = /* @__PURE__ */ Symbol('unreadable');

function option(options, name) {
  try {
    return options?.[name];
  } catch {
    return UNREADABLE;
  }
}

/** The options of a call over those of its client, each read once: the checked value is the one that is used. */
export const mergeOptions = (callOptions, clientOptions) =>
  Object.fromEntries(
    NAMES.slice(0, OPTION_COUNT).map((name) => [
      name,
      option(callOptions, name) ?? option(clientOptions, name),
    ]),
  );

/** The value of an option that may be a function. */
export const resolve = async (option, argument) => (typeof option === 'function' ? option(argument) : option);

/**
 * Key and headers of one request. Where the key's function fails, the error keeps the cause; where the headers cannot
 * be used, it does not, since that could show their values.
 */
export async function readCredentials(apiKey, headers) {
  let key;
  try {
    key = await resolve(apiKey);
  } catch (cause) {
    return { keyFailed: true, cause };
  }
  try {
    return { key, headers: new Headers(await resolve(headers)) };
  } catch {
    return { key, headersFailed: true };
  }
}

/** A random UUID. Pages without a secure context lack `randomUUID`, and some test environments lack all of `crypto`. */
export function randomUuid() {
  const { crypto } = globalThis;
  if (crypto?.randomUUID) return crypto.randomUUID();
  const bytes = new Uint8Array(16).map(() => Math.random() * 256);
  crypto?.getRandomValues?.(bytes);
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = Array.from(bytes, (byte) => (byte + 256).toString(16).slice(1)).join('');
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
