/**
 * One instance of the module, and the account of all that has to end with it.
 *
 * A trap leaves an instance in an unknown state, with promises that nothing would ever settle. So every way
 * into it is watched: when one throws, its pending calls are rejected, its fetches and timers end, and
 * callbacks that still come find it closed. The next call gets a fresh instance.
 *
 * @param {Function} glue what `wasm-bindgen` generates, as a function of the globals it uses
 */
export function createEngine(glue) {
  const calls = new Set();
  const timers = new Set();
  let depth = 0;

  const engine = {
    broken: false,

    /** What rejects the calls under way, given the error of a trap. */
    calls,

    imports: undefined,

    run: undefined,

    live,

    /** @param {WebAssembly.Instance} instance */
    start(instance) {
      const exports = {};
      for (const [name, value] of Object.entries(instance.exports)) {
        exports[name] = typeof value === 'function' ? guard(value) : value;
      }
      engine.run = start(exports);
      return engine;
    },
  };

  /** Stops a module that goes on in spite of a trap: one further in, in a callback that it had called. */
  function live() {
    if (engine.broken) throw new Error('the module has trapped');
  }

  const { imports, start } = glue({
    setTimeout(callback, ms) {
      live();
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
  engine.imports = imports;

  function collapse(error) {
    engine.broken = true;
    for (const timer of timers) clearTimeout(timer);
    for (const abandon of [...calls]) abandon(error);
  }

  function guard(enter) {
    return (...args) => {
      if (engine.broken) {
        // Called by the platform, there is nobody to tell; called by the module's own imports, it must stop.
        if (depth > 0) live();
        return;
      }
      depth += 1;
      try {
        return enter(...args);
      } catch (error) {
        if (!engine.broken) collapse(error);
        if (depth > 1) throw error;
      } finally {
        depth -= 1;
      }
    };
  }

  return engine;
}
