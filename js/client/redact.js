/** Takes the key out of texts that are shown. */

/** A shorter key is as short as a word, and the word would go everywhere. */
const SHORTEST_SECRET = 8;

/** A text without the secret that a server may have echoed: it must not end in a log. */
export const redact = (text, secret) =>
  secret?.length >= SHORTEST_SECRET && typeof text === 'string' ? text.replaceAll(secret, '[key]') : text;

/** The same of all texts within an answer. The names of its fields stay where the secret could be one of them. */
export function redactAll(value, secret) {
  if (Array.isArray(value)) return value.map((item) => redactAll(item, secret));
  if (typeof value !== 'object' || !value) return redact(value, secret);
  const clean = (name) => (/^\w+$/.test(secret) ? name : redact(name, secret));
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [clean(name), redactAll(field, secret)]),
  );
}
