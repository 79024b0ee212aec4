/** A page, or a worker of one, as far as the package looks at it: for tests in Node. */

import { getEventListeners } from 'node:events';

/**
 * Puts globals in place until the test is over.
 *
 * @param {import('node:test').TestContext} t
 * @param {Record<string, unknown>} globals
 */
export function pretend(t, globals) {
  for (const [name, value] of Object.entries(globals)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    t.after(() => {
      if (before) Object.defineProperty(globalThis, name, before);
      else delete globalThis[name];
    });
  }
}

/**
 * Makes this a page until the test is over.
 *
 * @param {import('node:test').TestContext} t
 */
export function fakePage(t) {
  const window = new EventTarget();
  const document = Object.assign(new EventTarget(), { hidden: false, baseURI: 'https://app.test/shop/' });
  pretend(t, {
    window,
    document,
    addEventListener: window.addEventListener.bind(window),
    removeEventListener: window.removeEventListener.bind(window),
  });
  return {
    /** The network comes back. */
    online: () => window.dispatchEvent(new Event('online')),

    /** Hides the page, or shows it. */
    hide(hidden) {
      document.hidden = hidden;
      document.dispatchEvent(new Event('visibilitychange'));
    },

    /** How many listeners there are. */
    listeners: () =>
      getEventListeners(window, 'online').length + getEventListeners(document, 'visibilitychange').length,
  };
}

/**
 * Makes this a worker of a page until the test is over.
 *
 * @param {import('node:test').TestContext} t
 * @param {string} href where the worker's program comes from
 */
export function fakeWorker(t, href) {
  const scope = new EventTarget();
  pretend(t, {
    WorkerLocation: class WorkerLocation {},
    location: { href },
    addEventListener: scope.addEventListener.bind(scope),
    removeEventListener: scope.removeEventListener.bind(scope),
  });
}
