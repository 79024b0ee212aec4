/** Holds the gaps between polls until the test lets one pass, so that it can act in between. */

const { setTimeout: original, clearTimeout: clear } = globalThis;
const held = new Map();
globalThis.setTimeout = (work, ms, ...more) => {
  if (!(ms >= 1000 && ms <= 5000)) return original(work, ms, ...more);
  const timer = original(() => {}, 0);
  held.set(timer, work);
  return timer;
};
globalThis.clearTimeout = (timer) => {
  held.delete(timer);
  clear(timer);
};
globalThis.gaps = () => held.size;
globalThis.pass = () => {
  for (const [timer, work] of held) {
    held.delete(timer);
    work();
  }
};
