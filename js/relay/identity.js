/** What `authorize` returns: an identity or a refusal. */

/**
 * @returns {string | undefined} nothing for a caller that `authorize` refuses
 * @throws {TypeError} unless it is a text or a refusal: a mistake in `authorize` must not look like a refusal
 */
export function checkIdentity(identity) {
  if (typeof identity === 'string') return identity || undefined;
  if (identity === null || identity === undefined || identity === false) return undefined;
  throw new TypeError(
    `authorize returned ${nounOf(identity)}, which is no identity. ${identityAdvice(identity)}`,
  );
}

function nounOf(value) {
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' ? 'an object' : `${String(value)}, a ${typeof value}`;
}

function identityAdvice(value) {
  if (typeof value === 'function') return 'Call that function: authorize: anonymousByIp(), for example.';
  if (value === true) return 'Return who calls: one text for each user, such as the id of the session.';
  return 'Return a text, such as `String(user.id)`, or null to refuse.';
}
