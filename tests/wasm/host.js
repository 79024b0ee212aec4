/** What the tests of the shell need of JavaScript: a transport with a script, and a host for one call. */

import { attempt, exchange, readCredentials } from '../../js/client/host.js';

export function scripted(answers) {
  const left = [...answers];
  const options = {
    apiKey: 'sk-secret',
    baseUrl: 'https://lemon.test',
    dangerouslyAllowBrowser: true,
    pollInterval: { min: 1, max: 2 },
    asked: [],
    tasks: [],
    updates: [],
    aborted: 0,
    listeners: 0,
    onTask: (task) => options.tasks.push(task),
    onUpdate: (generation) => options.updates.push({ ...generation }),
    async fetch(url, { method, headers, body, signal, redirect }) {
      options.asked.push([method, url, body].filter(Boolean).join(' '));
      if (redirect !== 'manual') throw new Error('redirects must not be followed');
      if (headers.get('authorization') !== 'Bearer sk-secret') throw new Error('the key is missing');
      const answer = left.shift();
      if (!answer) throw new TypeError('no answer is left in the script');
      if (answer.hang) {
        await new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            options.aborted += 1;
            reject(new Error('aborted'));
          });
        });
      }
      const { status = 200 } = answer;
      return new Response(JSON.stringify(answer.body), { status, headers: answer.headers });
    },
  };
  return options;
}

/** A host for one call, as `js/client/call.js` is one: without callbacks that fail, and without other calls. */
export const settled = (start, options, input) =>
  new Promise((resolve, reject) => {
    const later = (work) => Promise.resolve().then(work);
    const stops = [];
    let wake;
    const work = (run) => {
      const working = later(run);
      // The module's own `then` comes first.
      working.then(() => later(() => wake()));
      return working;
    };
    const host = {
      options,
      given: options,
      body: { value: JSON.stringify(input) },
      settle(isDone, value = options.signal.reason) {
        wake = () => {};
        for (const stop of stops) stop();
        (isDone ? resolve : reject)(value);
      },
      listen(_, callback) {
        wake = callback;
        const { signal } = options;
        const ring = () => later(() => wake());
        signal?.addEventListener('abort', ring);
        stops.push(() => signal?.removeEventListener('abort', ring));
        return true;
      },
      prepare: () => work(() => readCredentials(options.apiKey)),
      send: (url, isCreate, { signal }) =>
        work(async () => {
          host.about = attempt(undefined, isCreate ? 'POST' : 'GET');
          const { fetch, apiKey: key } = options;
          const body = isCreate ? host.body.value : undefined;
          await exchange(host.about, { fetch, url, signal, key, body });
          return host.about;
        }),
      announce: (task) => work(() => options.onTask(task)),
      // This call waits alone.
      join: () => 0,
      sleep() {},
      take() {},
      finish(isLate) {
        host.about.isLate = isLate;
        return host.about;
      },
      update: (value) => options.onUpdate(value),
    };
    start(host);
  });

// biome-ignore lint/security/noGlobalEval: the source is the test's own.
export const evaluate = (source) => globalThis.eval(`(${source})`);
