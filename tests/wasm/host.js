/** What the tests of the shell need of JavaScript: a transport with a script, and a host for one call. */

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

export const settled = (start, options) =>
  new Promise((resolve, reject) => {
    const stops = [];
    const host = {
      options,
      given: options,
      live() {},
      settle(isDone, value) {
        for (const stop of stops) stop();
        (isDone ? resolve : reject)(value);
      },
      listen(wake) {
        const { signal } = options;
        signal?.addEventListener('abort', wake);
        stops.push(() => signal?.removeEventListener('abort', wake));
      },
      follow: (value) => Promise.resolve(value),
      tell: (_, value) => options.onUpdate(value),
      // This call waits alone.
      join: () => false,
      news() {},
      finish(isLate) {
        host.about.isLate = isLate;
        return host.about;
      },
    };
    start(host);
  });

// biome-ignore lint/security/noGlobalEval: the source is the test's own.
export const evaluate = (source) => globalThis.eval(`(${source})`);
