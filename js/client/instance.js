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
  let depth = 0;

  const instance = {
    broken: false,
    /** The calls under way, which a trap ends. */
    calls: new Set(),
    run: undefined,
  };

  const { imports, start } = glue({
    setTimeout(callback, ms) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        callback();
      }, ms);
      timers.add(timer);
      return timer;
    },
    clearTimeout(timer) {
      timers.delete(timer);
      clearTimeout(timer);
    },
  });

  function collapse(error) {
    instance.broken = true;
    for (const call of [...instance.calls]) call.abandon(error);
    for (const timer of timers) clearTimeout(timer);
  }

  function guard(enter) {
    return (...args) => {
      // The platform calls back late, or the module itself goes on after a trap further in, and must stop.
      if (instance.broken) {
        if (depth > 0) throw new Error('the module has trapped');
        return;
      }
      depth += 1;
      try {
        return enter(...args);
      } catch (error) {
        if (!instance.broken) collapse(error);
        if (depth > 1) throw error;
      } finally {
        depth -= 1;
      }
    };
  }

  const { Instance = WebAssembly.Instance } = module;
  const exports = {};
  for (const [name, value] of Object.entries(new Instance(module, imports).exports)) {
    exports[name] = typeof value === 'function' ? guard(value) : value;
  }
  instance.run = start(exports);
  return instance;
}
