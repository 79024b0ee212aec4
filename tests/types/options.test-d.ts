/** The options of a client and of a call. */

import { expectTypeOf } from 'expect-type';
import {
  type FailedTask,
  type Generation,
  generate,
  generateAndWait,
  LemonData,
  type Options,
  type ResponseInfo,
  type Task,
  type UpdateInfo,
  type Usage,
  waitForTask,
} from 'lemondata-wasm';

const all: Required<Options> = {
  apiKey: 'sk-test',
  baseUrl: 'https://api.lemondata.cc',
  relay: false,
  fetch: globalThis.fetch,
  headers: { 'x-trace': '1' },
  dangerouslyAllowBrowser: false,
  signal: new AbortController().signal,
  requestTimeout: 1,
  maxRetries: 0,
  pollInterval: { min: 3_000, max: 5_000 },
  maxWait: Number.POSITIVE_INFINITY,
  maxPolls: 1,
  idempotencyKey: 'key',
  fallback: ['nano-banana-2', 'lemon-9'],
  onTask: () => {},
  onUpdate: () => {},
  onResponse: () => {},
};
new LemonData(all);
new LemonData({});
generate({ prompt: 'a lemon' }, all);
waitForTask('img_1', all);

// What an environment variable may not hold.
declare const env: { KEY?: string };
new LemonData({ apiKey: env.KEY, baseUrl: env.KEY, maxPolls: undefined, pollInterval: { min: undefined } });

new LemonData({ apiKey: () => 'sk-test' });
new LemonData({ apiKey: async () => 'sk-test' });
// @ts-expect-error: what the function returns has to be a string
new LemonData({ apiKey: () => env.KEY });
new LemonData({ headers: new Headers() });
new LemonData({ headers: [['x-trace', '1']] });
new LemonData({ headers: () => ({ 'x-trace': '1' }) });
new LemonData({ headers: async () => new Headers() });
// @ts-expect-error: a header is a string
new LemonData({ headers: { 'x-trace': 1 } });
new LemonData({ pollInterval: { min: 3_000 } });
new LemonData({ fetch: (url, init) => fetch(url.replace('/v1', ''), { ...init, cache: 'no-store' }) });
new LemonData({ fetch: async () => new Response('{}') });

// @ts-expect-error: an unknown option
new LemonData({ apikey: 'sk-test' });
// @ts-expect-error: an unknown option
generate({ prompt: 'a lemon' }, { timeout: 1 });
// @ts-expect-error: an unknown option
waitForTask('img_1', { pollIntervall: { min: 1 } });
// @ts-expect-error: an unknown bound
new LemonData({ pollInterval: { minimum: 1 } });
// @ts-expect-error: an interval has two bounds
new LemonData({ pollInterval: 3_000 });
// @ts-expect-error: the controller instead of its signal
new LemonData({ signal: new AbortController() });
// @ts-expect-error: a number
new LemonData({ maxWait: '300s' });
// @ts-expect-error: a boolean
new LemonData({ relay: 'yes' });
// @ts-expect-error: a list
generate({ prompt: 'a lemon' }, { fallback: 'nano-banana-2' });
// @ts-expect-error: names
generate({ prompt: 'a lemon' }, { fallback: [3] });
generate({ prompt: 'a lemon' }, { fallback: ['nano-banana-2'] as const });
// @ts-expect-error: the key is not the options
new LemonData('sk-test');
// On a server, the key may come from the environment.
new LemonData();

// Callbacks know what they are given, and may be asynchronous where they are awaited.
generateAndWait(
  { prompt: 'a lemon' },
  {
    onTask: (task) => expectTypeOf(task).toEqualTypeOf<Task>(),
    onUpdate: (task, info) => {
      // Of every task, so that a page can show it without looking at the status.
      expectTypeOf(task.progress).toEqualTypeOf<number | undefined>();
      expectTypeOf(task).toEqualTypeOf<Generation | FailedTask>();
      expectTypeOf(info).toEqualTypeOf<UpdateInfo>();
    },
    onResponse(info) {
      expectTypeOf(info).toEqualTypeOf<ResponseInfo>();
      expectTypeOf(info.requestId).toEqualTypeOf<string | undefined>();
      expectTypeOf(info.billingTransactionId).toEqualTypeOf<string | undefined>();
      expectTypeOf(info.usage).toEqualTypeOf<Usage | undefined>();
      expectTypeOf(info.rateLimit.remaining).toEqualTypeOf<number | undefined>();
      expectTypeOf(info.durationMs).toEqualTypeOf<number>();
      expectTypeOf(info.attempt).toEqualTypeOf<number>();
    },
  },
);
generateAndWait(
  { prompt: 'a lemon' },
  { onTask: async (task) => localStorage.setItem('task', task.task_id) },
);
// @ts-expect-error: a task has no such field
generateAndWait({ prompt: 'a lemon' }, { onTask: (task) => task.status });
