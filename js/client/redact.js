/** Takes the key out of texts that are shown. */

/** A shorter key is as short as a word, and the word would go everywhere. */
const SHORTEST_SECRET = 8;

/** A text without the secret that a server may have echoed: it must not end in a log. */
export const redact = (text, secret) =>
  secret?.length >= SHORTEST_SECRET && typeof text === 'string' ? text.replaceAll(secret, '[key]') : text;

/** What is nested deeper is left out: an attacker may nest anything, and a stack that overflows would be a trap. */
const MAX_DEPTH = 100;

/** The same of all texts within an answer. The names of its fields stay where the secret could be one of them. */
export function redactAll(value, secret, depth = 0) {
  if (typeof value !== 'object' || !value) return redact(value, secret);
  if (depth === MAX_DEPTH) return;
  const clean = (name) => (/^\w+$/.test(secret) ? name : redact(name, secret));
  const entries = Object.entries(value).map(([name, field]) => [
    clean(name),
    redactAll(field, secret, depth + 1),
  ]);
  const cleaned = Object.fromEntries(entries);
  return Array.isArray(value) ? Object.values(cleaned) : cleaned;
}
