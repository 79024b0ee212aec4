/** What the tests of the shell need of JavaScript: a transport with a script, and calls as `js/client/client.js` makes them. */

import { toBody } from '../../js/client/body.js';
import { Call } from '../../js/client/call.js';
import { mergeOptions } from '../../js/client/options.js';

export function scripted(answers) {
  const left = [...answers];
  const options = {
    apiKey: 'sk-secret',
    baseUrl: 'https://lemon.test',
    dangerouslyAllowBrowser: true,
    pollInterval: { min: 1, max: 2 },
    requests: [],
    tasks: [],
    updates: [],
    aborted: 0,
    onTask: (task) => options.tasks.push(task),
    onUpdate: (generation) => options.updates.push({ ...generation }),
    async fetch(url, { method, headers, body, signal, redirect }) {
      options.requests.push([method, url, body].filter(Boolean).join(' '));
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

/** Makes a call by the two ways into the module, and returns its promise. */
export const settled = async (command, run, wake, callOptions, input) => {
  const fields = { command, input, callOptions, options: mergeOptions(callOptions), body: toBody(input) };
  const { isDone, value } = await new Promise((settled) => {
    new Call({ ...fields, settled }).start({ calls: new Set(), run: (_, call) => run(call), wake });
  });
  if (isDone) return value;
  throw value;
};

/** A controller that counts the listeners which have come to its signal, and those which have gone. */
export function countedController() {
  const controller = Object.assign(new AbortController(), { added: 0, removed: 0 });
  const { signal } = controller;
  const count = (method, counter) => {
    signal[method] = (...args) => {
      controller[counter] += 1;
      AbortSignal.prototype[method].apply(signal, args);
    };
  };
  count('addEventListener', 'added');
  count('removeEventListener', 'removed');
  return controller;
}

// biome-ignore lint/security/noGlobalEval: the source is the test's own.
export const evaluate = (source) => globalThis.eval(`(${source})`);
