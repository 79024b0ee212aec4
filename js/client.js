/** What npm users call: promises around the jobs of the module. */

import { createEngine } from './engine.js';
import { InternalError, LemonDataError, ownError } from './errors.js';
import { attempt, given, NAMES, read, responseInfo } from './host.js';

/** The jobs, by the numbers that `src/shell/jobs.rs` gives them. */
const GENERATE = 0;
const GENERATE_AND_WAIT = 1;
const GET_TASK = 2;
const WAIT_FOR_TASK = 3;

/**
 * @param {Function} glue
 * @param {() => WebAssembly.Module | Promise<WebAssembly.Module>} load gets the module, compiled
 * @param {() => boolean} inBrowser whether the key would be in a visitor's hands
 * @param {typeof import('./share.js').takeSeat} [takeSeat] where calls may share their polls
 */
export function createClient(glue, load, inBrowser, takeSeat) {
  let engine;
  let starting;

  function boot(module) {
    const fresh = createEngine(glue);
    engine = fresh.start(new WebAssembly.Instance(module, fresh.imports));
    return engine;
  }

  /** The instance at work, or a promise of it. */
  function acquire() {
    if (engine && !engine.broken) return engine;
    if (starting) return starting;
    const module = load();
    // An edge worker has the module at hand, and must not let one request wait for another's promise.
    if (!(module instanceof Promise)) return boot(module);
    starting = module.then(boot).finally(() => {
      starting = undefined;
    });
    return starting;
  }

  async function call(job, input, options, defaults) {
    let running;
    try {
      running = acquire();
      if (running instanceof Promise) running = await running;
    } catch (cause) {
      if (cause instanceof LemonDataError) throw cause;
      const message =
        "WebAssembly did not start: see error.cause. A content security policy must allow 'wasm-unsafe-eval'.";
      throw broken(message, cause, 'not_sent', waitedFor(job, input));
    }
    return perform(running, inBrowser(), job, input, options, defaults, takeSeat);
  }

  return {
    generate: (request, options) => call(GENERATE, request, options),
    waitForTask: (task, options) => call(WAIT_FOR_TASK, task, options),
    generateAndWait: (request, options) => call(GENERATE_AND_WAIT, request, options),
    getTask: (task, options) => call(GET_TASK, task, options),

    LemonData: class LemonData {
      // Private, so that neither `JSON.stringify` nor a log nor a structured clone shows the key.
      #options;

      constructor(options) {
        // What is no object is refused at the first call.
        this.#options = typeof options === 'object' ? { ...options } : options;
      }

      generate(request, options) {
        return call(GENERATE, request, options, this.#options);
      }

      waitForTask(task, options) {
        return call(WAIT_FOR_TASK, task, options, this.#options);
      }

      generateAndWait(request, options) {
        return call(GENERATE_AND_WAIT, request, options, this.#options);
      }

      getTask(task, options) {
        return call(GET_TASK, task, options, this.#options);
      }
    },
  };
}

/** The error of a module that fails. A task that is known goes on in spite of it. */
const broken = (message, cause, outcome, task) =>
  ownError(InternalError, task ? 'accepted' : outcome, message, { cause, task });

/** The task that a job is about from the start, as a reference. */
function waitedFor(job, input) {
  if (job < GET_TASK) return;
  if (typeof input === 'string') return { task_id: input };
  const poll_url = read(input, 'poll_url');
  return { task_id: read(input, 'task_id') ?? read(input, 'id'), ...(poll_url && { poll_url }) };
}

function report(error) {
  if (typeof reportError === 'function') reportError(error);
  else console.error(error);
}

/** Calls a callback, if there is one, at once; an exception and a rejection of it are one and the same. */
function tell(callback, value) {
  if (callback) (async () => callback(value))().catch(report);
}

/** Runs one job on an instance. */
function perform(engine, browser, job, input, options, defaults, takeSeat) {
  return new Promise((resolve, reject) => {
    const stops = [];
    const chosen = given(options, defaults);
    let wake;
    let seat;
    /** Ends the wait for what may never settle. */
    let release;
    stops.push(() => release?.());

    function listen(target, type, callback) {
      target.addEventListener(type, callback);
      stops.push(() => target.removeEventListener(type, callback));
    }

    function settle(finish, value) {
      engine.calls.delete(abandon);
      for (const stop of stops) stop();
      seat?.leave();
      finish(value);
    }

    function abandon(cause) {
      host.controller?.abort();
      const message =
        'The WebAssembly module trapped: please report this bug with error.cause. Further calls work.';
      settle(reject, broken(message, cause, 'unknown', host.task));
    }

    /** Tells of an HTTP answer, and no callback twice. */
    function respond(about) {
      const callback = chosen.onResponse;
      if (!callback || !about.request || about.told.has(callback)) return;
      about.told.add(callback);
      tell(callback, responseInfo(about));
    }

    const host = {
      options,
      defaults,
      given: chosen,
      live: engine.live,
      about: undefined,
      controller: undefined,
      streams: false,
      task: waitedFor(job, input),
      settle: (isDone, value) => settle(isDone ? resolve : reject, value),
      listen(callback) {
        wake = callback;
        const { signal } = chosen;
        if (signal) listen(signal, 'abort', wake);
        if (browser) {
          listen(globalThis, 'online', wake);
          if (globalThis.document) listen(document, 'visibilitychange', () => document.hidden || wake());
        }
      },
      // What never settles would otherwise hold on for ever to its callbacks, which are the module's. A race with
      // one promise for the whole call would grow with every poll.
      follow: (value) =>
        new Promise((resolve, reject) => {
          release = resolve;
          value.then(resolve, reject);
        }),
      tell: (key, value) => tell(chosen[NAMES[key]], value),
      join(url, streams) {
        const { apiKey, headers, fetch, requestTimeout } = chosen;
        seat ??= takeSeat?.([defaults, apiKey, headers, fetch, requestTimeout], respond, wake);
        // Whoever shares its polls can share a stream of answers.
        host.streams = Boolean(seat && streams);
        return Boolean(seat?.join(url));
      },
      news: (isLate) => seat?.news() ?? (isLate ? { isLate, isSent: true } : undefined),
      finish(isLate, path, durationMs, number) {
        const { about = attempt(), controller } = host;
        host.about = undefined;
        host.controller = undefined;
        // What could not be read may go on, such as a stream.
        if (about.cause) controller?.abort();
        about.isLate = isLate;
        about.told = new Set();
        if (about.status !== undefined && !isLate) about.request = [path, durationMs, number];
        respond(about);
        seat?.finish(about, controller);
        return about;
      },
    };
    engine.calls.add(abandon);
    engine.run(job, input, host, browser);
  });
}
