const MARK = 'vercel.ai.error';

/**
 * An error as the AI SDK knows it: by its marks, whichever copy of the SDK looks. So this package needs no copy.
 *
 * @param {string} name of the SDK's class, such as `APICallError`
 * @param {string} message
 * @param {Record<string, unknown>} fields of that class
 * @param {unknown} [cause]
 */
export function sdkError(name, message, fields, cause) {
  const error = new Error(message, cause === undefined ? undefined : { cause });
  // Assigning it would fail where the prototype of all errors is frozen.
  Object.defineProperty(error, 'name', {
    value: `AI_${name}`,
    writable: true,
    enumerable: true,
    configurable: true,
  });
  return Object.assign(error, fields, {
    [Symbol.for(MARK)]: true,
    [Symbol.for(`${MARK}.AI_${name}`)]: true,
  });
}
