/** The time by a clock that no person sets: when the page began, and how long that is ago. */

const BEGAN_AT = Date.now() - performance.now();

/** Milliseconds since 1970. */
export const now = () => BEGAN_AT + performance.now();
