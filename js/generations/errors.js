/** Errors that are read from the journal. They are of the client's classes without holding the client's code. */

/** The mark by which the client's classes know their errors. */
const BRAND = Symbol.for('lemondata-wasm.error');

/** Makes an error of its stored fields. */
export const toError = (stored) =>
  Object.defineProperties(Object.assign(new Error(), stored), {
    [BRAND]: { value: stored.kind },
    toJSON: { value: () => stored },
  });

/** The fields of an error that are stored. The body of an answer may be long, and other errors hold anything. */
export const toStored = ({ name, message, ...error }) => ({
  ...(error.kind && error),
  body: undefined,
  name,
  message,
});

/** The error of a create that is not repeated: what became of it is unknown, unless it was never sent. */
export const lostAnswer = (outcome = 'unknown') =>
  toError({
    name: 'ConnectionError',
    kind: 'connection',
    outcome,
    message: `The page was closed before this create was ${outcome === 'unknown' ? 'answered. It may have been billed' : 'sent'}.`,
  });
