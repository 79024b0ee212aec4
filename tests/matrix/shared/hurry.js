/**
 * Makes the seconds between two polls milliseconds, for samples that have no `pollInterval`. Time-outs, which are
 * longer, stay as they are.
 */

const { setTimeout: original } = globalThis;
globalThis.setTimeout = (work, ms, ...more) =>
  original(work, ms >= 1000 && ms <= 5000 ? ms / 1000 : ms, ...more);
