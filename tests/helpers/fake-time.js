/**
 * A virtual clock for tests of cadence and patience: minutes pass in milliseconds, and always alike.
 *
 * The package looks up `setTimeout`, `clearTimeout`, `performance.now` and `Date.now` when it uses them, so they
 * can be replaced under it. A transport has to be given with it: the network does not keep virtual time.
 * The module has to have been started before, since a compilation does not either.
 */

import { AsyncResource } from 'node:async_hooks';
import FakeTimers from '@sinonjs/fake-timers';

// Kept from before it is replaced: what lets promises settle without any time passing.
const { setImmediate } = globalThis;

/**
 * Replaces the clock until the test is over.
 *
 * @param {import('node:test').TestContext} t
 */
export function fakeTime(t) {
  const clock = FakeTimers.install({
    now: Date.now(),
    toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'],
  });
  // Like a real timer, a fake one fires in the asynchronous context that has set it.
  const { setTimeout } = globalThis;
  globalThis.setTimeout = (callback, ...rest) => setTimeout(AsyncResource.bind(callback), ...rest);
  const start = clock.now;
  t.after(() => clock.uninstall());

  /** Lets all happen that needs no time. */
  const calm = () => new Promise((resolve) => setImmediate(resolve));

  return {
    calm,

    /** Milliseconds since the clock was replaced. */
    now: () => clock.now - start,

    /** How many timers are set. */
    timers: () => clock.countTimers(),

    /** Has the machine sleep: the clock goes on, and then each timer that is due fires once, all of them late. */
    sleep(/** @type {number} */ ms) {
      clock.jump(ms);
    },

    /** Lets milliseconds pass. */
    async pass(/** @type {number} */ ms) {
      await calm();
      await clock.tickAsync(ms);
      await calm();
    },

    /**
     * Lets time pass, from timer to timer, until the promise has settled. It fails where no timer is left that
     * could settle it, and ends with the test.
     *
     * @template T
     * @param {Promise<T>} promise
     * @returns {Promise<T>}
     */
    async until(promise) {
      let settled = false;
      const settle = () => {
        settled = true;
      };
      promise.then(settle, settle);
      for (;;) {
        await calm();
        if (settled) return promise;
        if (t.signal.aborted) throw t.signal.reason;
        if (clock.countTimers() === 0) throw new Error('Nothing is left to wait for, and nothing has come');
        clock.next();
      }
    },
  };
}

/**
 * An answer of a transport, with all that the package reads of a `Response`. Unlike that one, it needs no turn
 * of the event loop to be read.
 *
 * @param {unknown} body anything but a string goes as JSON
 * @param {{ status?: number, headers?: Record<string, string> }} [init]
 */
export function answer(body, { status = 200, headers = {} } = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { status, headers: new Headers(headers), text: async () => text };
}
