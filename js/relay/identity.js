/** What `authorize` returns: an identity or a refusal. */

/** Texts that JavaScript makes of a value that is missing. Everybody would share such an identity. */
const MISSING = /^(?:undefined|null|NaN|\[object \w+\])$/;

/**
 * @returns {string | undefined} nothing for a caller that `authorize` refuses
 * @throws {TypeError} unless it is a text or a refusal: a mistake in `authorize` must not look like a refusal
 */
export function checkIdentity(identity) {
  if (typeof identity === 'string' && !MISSING.test(identity)) return identity || undefined;
  if (identity === null || identity === undefined || identity === false) return undefined;
  throw new TypeError(
    `authorize returned ${nounOf(identity)}, which is no identity. ${identityAdvice(identity)}`,
  );
}

function nounOf(value) {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'string') return `the text ${JSON.stringify(value)}`;
  return typeof value === 'object' ? 'an object' : `${String(value)}, a ${typeof value}`;
}

function identityAdvice(value) {
  if (typeof value === 'function') return 'Call that function: authorize: anonymousByIp(), for example.';
  if (typeof value === 'string')
    return 'JavaScript makes it of a missing value: return null for a caller without an identity.';
  if (value === true) return 'Return who calls: one text for each user, such as the id of the session.';
  return 'Return a text, such as `String(user.id)`, or null to refuse.';
}
