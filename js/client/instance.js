/**
 * One instance of the module, and the account of all that has to end with it.
 *
 * A trap leaves an instance in an unknown state, with promises that nothing would ever settle. So every way
 * into it is watched: when one throws, its pending calls are rejected, its fetches and timers end, and
 * callbacks that still come find it closed. The next call gets a fresh instance.
 *
 * @param {Function} glue what `wasm-bindgen` generates, as a function of the globals it uses
 * @param {any} module a `WebAssembly.Module`, or a module in JavaScript, which brings the class of its instances
 */
export function createInstance(glue, module) {
  const timers = new Set();

  const instance = {
    broken: false,
    /** The calls under way, which a trap ends. */
    calls: new Set(),
    run: (command, call, isBrowser) => enter(exports.run, command, call, isBrowser),
    wake: (handle, kind, value) => enter(exports.wake, handle, kind, value),
  };

  function enter(way, ...values) {
    if (instance.broken) return;
    try {
      return way(...values, performance.now(), Date.now(), Math.random());
    } catch (error) {
      instance.broken = true;
      for (const call of [...instance.calls]) call.abandon(error);
      for (const timer of timers) clearTimeout(timer);
    }
  }

  const { imports, start } = glue({
    setTimeout(callback, ms) {
      const timer = setTimeout(() => enter(callback), ms);
      timers.add(timer);
      return timer;
    },
    // The module clears each timer in the end, even one that has fired.
    clearTimeout(timer) {
      timers.delete(timer);
      clearTimeout(timer);
    },
  });
  const { Instance = WebAssembly.Instance } = module;
  const exports = start(new Instance(module, imports).exports);
  return instance;
}
