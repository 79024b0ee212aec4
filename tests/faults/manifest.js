/**
 * Every fault, where it strikes, and what has to come of it. The expectations are the promises of the package,
 * not records of what it does.
 */

import * as script from './script.js';

const { html, empty, text, json, refusal, redirect, retryAfter, dateIn, TARGETS } = script;

/**
 * What has to come of a case.
 *
 * @typedef {object} Expectation
 * @property {string} className `completed`, an error's class, or `aborted`: the reason of the caller's signal
 * @property {string} [outcome] of the error
 * @property {number} creates the most that the server may have seen
 * @property {boolean} resumes whether `waitForTask(error.task)` has to complete once the fault is gone
 * @property {number} [minMs] what the server asked for, and so the least time that it may take
 * @property {number} [maxMs] the most time, where a wait has to end before its deadline
 * @property {number} [retryAfterMs] of the error
 */

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {'create' | 'poll'} where
 * @property {import('./scenario.js').Input['call']} call
 * @property {string[]} models of a create: the first, and those of a fallback chain
 * @property {'edit' | 'form'} [kind] of a create that is an edit: of a picture at a URL, or of one in a form
 * @property {boolean} [hasFallback] whether the other models may serve a create, too
 * @property {number} [failures] how many tasks of a fallback chain the server calls failed: it bills none of them
 * @property {'task' | 'id'} [argument] how a wait refers to its task
 * @property {Omit<import('./proxy.js').Fault, 'on'>} [fault] at the proxy
 * @property {((context: import('./script.js').Context) => import('./script.js').Reply)[]} [replies] of the server,
 *   one after the other
 * @property {number} [times] how often the last of them comes
 * @property {((context: import('./script.js').Context) => import('./script.js').Reply)} [created] the answer to
 *   the create of a case about polls
 * @property {Record<string, unknown>} [options] of the call
 * @property {number} [abortAfter] milliseconds after the start, or where the fault is for polls, after the task is known
 * @property {boolean} [everywhere] whether it runs in every runtime, and not only in those that run all
 * @property {boolean} [warm] whether the connection has been used before
 * @property {Record<string, Partial<Expectation> & { resent?: number }>} [platform] what is different in a runtime
 *   that sends a request again by itself, below the package, and how often it may do so
 * @property {Expectation} expect
 */

const TIMEOUT = { requestTimeout: 400 };
/** For faults that last: the wait has to end by its own deadline. */
const SHORT_WAIT = { maxWait: 600 };
/** What ends early has to end well before `maxWait`, which is 5 s. */
const AT_ONCE = { maxMs: 2500 };
const ALWAYS = Number.POSITIVE_INFINITY;

/** Models that edit, too, and answer with a task. */
const TASKS = ['flux-2-pro', 'nano-banana-pro', 'test-task'];
/** Models that edit, too, and answer inline. */
const INLINE = ['gpt-image-2', 'nano-banana', 'flux-2-klein'];

/** @type {Case[]} */
export const CASES = [];

function add(where, name, script, expect, more) {
  const creates = where === 'create' || more?.call === undefined ? 1 : 0;
  CASES.push({
    name: `${where}: ${name}`,
    where,
    call: 'generateAndWait',
    models: TASKS,
    ...script,
    ...more,
    expect: { creates, resumes: expect.outcome === 'accepted', ...expect },
  });
}

const create = (...args) => add('create', ...args);
const poll = (...args) => add('poll', ...args);

const COMPLETED = { className: 'completed' };
const error = (name, outcome, more) => ({ className: `${name}Error`, outcome, ...more });
const unknown = (name, more) => error(name, 'unknown', more);
const rejected = (name, more) => error(name, 'rejected', more);
const accepted = (name, more) => error(name, 'accepted', more);
const EVERYWHERE = { everywhere: true };

// Connections that break under a create. None may be repeated: whether it was carried out is not known. Where
// the fault is over after one connection, a client that does repeat is found out by its success.

const NEVER_ARRIVED = { creates: 0 };

// Chromium and Firefox themselves send a request again, of whatever method, when a connection that has served
// them before breaks ahead of the answer. Chromium does so even where the head of the answer has begun, and on a
// 408; Firefox on a 408 over HTTP/2. The preflight of every create has used its connection. No page can prevent
// that: it is the same with every `cache`, `priority` and `redirect`, with `keepalive`, with each kind of body, a form
// among them, and with XMLHttpRequest. (A stream as the body is not sent again by Chromium, but it sends one over HTTP/2
// only, Firefox sends its name in its place, and WebKit refuses it.)
// What can be promised is that the package sent it once, and under one idempotency key, which a relay honours.
// WebKit trusts no used connection with a POST.
const AGAIN = { className: 'completed', outcome: undefined, creates: 2, resent: 1 };
const resentBy = (runtimes, more) => ({
  platform: Object.fromEntries(runtimes.map((name) => [name, { ...AGAIN, ...more }])),
});
const RESENT = resentBy(['chromium', 'firefox']);
const RESENT_BY_CHROMIUM = resentBy(['chromium']);
const DELIVERED_LATE = resentBy(['chromium', 'firefox'], { creates: 1, resent: 0 });

// Node, Deno and Bun tell that no connection was made: nothing was sent.
create('refused', { fault: { mode: 'refuse', ms: ALWAYS } }, error('Connection', 'not_sent', NEVER_ARRIVED), {
  ...EVERYWHERE,
  platform: Object.fromEntries(
    ['workerd', 'workerd 2024', 'chromium', 'firefox', 'webkit'].map((name) => [
      name,
      { outcome: 'unknown' },
    ]),
  ),
});
create('late', { fault: { mode: 'latency', ms: 100 } }, COMPLETED);
for (const warm of [false, true]) {
  // A runtime may trust a connection that has served it less, and send what breaks on it again.
  const on = warm ? ', warm connection' : '';
  const breaks = (name, mode, expect, more) =>
    create(`${name}${on}`, { fault: { mode }, warm }, expect, more);
  const never = unknown('Connection', NEVER_ARRIVED);
  breaks('reset before it', 'reset-before', never, { ...EVERYWHERE, ...DELIVERED_LATE });
  breaks('reset after it', 'reset-after', unknown('Connection'), { ...EVERYWHERE, ...RESENT });
  breaks('reset in the head', 'reset-in-head', unknown('Connection'), RESENT_BY_CHROMIUM);
  // The head of the answer has named the task.
  breaks('reset in the body', 'reset-in-body', accepted('Response'), { everywhere: !warm });
  breaks('closed before it', 'close-before', never, DELIVERED_LATE);
  breaks('closed after it', 'close-after', unknown('Connection'), { everywhere: warm, ...RESENT });
  breaks('closed in the head', 'close-in-head', unknown('Connection'));
  breaks('closed in the body', 'close-in-body', accepted('Response'), { everywhere: !warm });
  breaks('another protocol', 'garbage', never);
}
create('reset after it, with an idempotency key', { fault: { mode: 'reset-after' } }, unknown('Connection'), {
  options: { idempotencyKey: 'the-only-one' },
  ...RESENT,
});

const hangs = (fault, expect, more) => [
  { fault },
  unknown('RequestTimeout', expect),
  { options: TIMEOUT, ...more },
];
create('black hole', ...hangs({ mode: 'black-hole' }, NEVER_ARRIVED, EVERYWHERE));
create('answer swallowed', ...hangs({ mode: 'swallow' }, {}, EVERYWHERE));
create('hang in the head', ...hangs({ mode: 'hang-in-head' }));
create('hang in the body', { fault: { mode: 'hang-in-body' } }, accepted('RequestTimeout'), {
  options: TIMEOUT,
});
create('drip, too slow', ...hangs({ mode: 'drip', ms: 20 }));
create('drip, in time', { fault: { mode: 'drip', ms: 1 } }, COMPLETED);

for (const mode of ['reset-after', 'reset-in-body']) {
  const name = mode === 'reset-after' ? 'Connection' : 'Response';
  create(`${mode}, inline`, { fault: { mode } }, unknown(name), {
    call: 'generate',
    models: INLINE,
    ...(mode === 'reset-after' && RESENT),
  });
}
create('answer swallowed, inline', ...hangs({ mode: 'swallow' }, {}, { call: 'generate', models: INLINE }));

const ABORTED = { className: 'aborted', ...AT_ONCE };
for (const mode of ['black-hole', 'swallow', 'hang-in-head', 'hang-in-body']) {
  create(`${mode}, then aborted`, { fault: { mode } }, ABORTED, { abortAfter: 500 });
}

// Connections that break under polls, which are free to repeat.

const TRANSPORT = [
  ['refused', { mode: 'refuse', ms: 200 }],
  ['late', { mode: 'latency', ms: 100 }],
  ['reset before it', { mode: 'reset-before' }],
  ['reset after it', { mode: 'reset-after' }],
  ['reset in the head', { mode: 'reset-in-head' }],
  ['reset in the body', { mode: 'reset-in-body' }, EVERYWHERE],
  ['closed before it', { mode: 'close-before' }],
  ['closed after it', { mode: 'close-after' }],
  ['closed in the head', { mode: 'close-in-head' }],
  ['closed in the body', { mode: 'close-in-body' }, EVERYWHERE],
  ['another protocol', { mode: 'garbage' }],
  ['black hole', { mode: 'black-hole' }, { options: TIMEOUT, ...EVERYWHERE }],
  ['answer swallowed', { mode: 'swallow' }, { options: TIMEOUT }],
  ['hang in the head', { mode: 'hang-in-head' }, { options: TIMEOUT }],
  ['hang in the body', { mode: 'hang-in-body' }, { options: TIMEOUT }],
  ['drip, too slow', { mode: 'drip', ms: 20 }, { options: TIMEOUT }],
  ['drip, in time', { mode: 'drip', ms: 1 }],
];
for (const [name, fault, more] of TRANSPORT) {
  poll(name, { fault }, COMPLETED, more);
  if (name === 'drip, in time' || name === 'late') continue;
  if (name !== 'refused') {
    const thrice = { ...more, everywhere: false };
    poll(`${name}, three times`, { fault: { ...fault, times: 3 } }, COMPLETED, thrice);
  }
  const lasting = { ...fault, times: ALWAYS, ms: fault.mode === 'refuse' ? 2000 : fault.ms };
  poll(`${name}, always`, { fault: lasting }, accepted('WaitTimeout'), {
    ...more,
    everywhere: false,
    options: { ...more?.options, ...SHORT_WAIT },
  });
}
for (const mode of ['refuse', 'reset-after', 'reset-in-body', 'close-in-body']) {
  poll(`${mode}, task from elsewhere`, { fault: { mode, ms: 200 } }, COMPLETED, {
    call: 'waitForTask',
    argument: 'task',
  });
}
for (const mode of ['black-hole', 'hang-in-body']) {
  poll(`${mode}, task from elsewhere`, { fault: { mode } }, COMPLETED, {
    call: 'waitForTask',
    argument: 'id',
    options: TIMEOUT,
  });
  poll(
    `${mode}, then aborted`,
    { fault: { mode, times: ALWAYS } },
    { ...ABORTED, resumes: true },
    {
      abortAfter: 100,
    },
  );
}

const once = { call: 'getTask', argument: 'task' };
poll(
  'reset after it, one poll',
  { fault: { mode: 'reset-after', times: ALWAYS } },
  accepted('Connection'),
  once,
);
poll('reset in the body, one poll', { fault: { mode: 'reset-in-body' } }, accepted('Response'), once);
poll('black hole, one poll', { fault: { mode: 'black-hole' } }, accepted('RequestTimeout'), {
  ...once,
  options: TIMEOUT,
});

// Statuses. A create that was refused is not billed; one that broke down may be. A poll that breaks down is
// repeated, one that was refused ends the wait.

const REFUSALS = {
  400: 'InvalidRequest',
  401: 'Authentication',
  402: 'PaymentRequired',
  403: 'PermissionDenied',
  404: 'NotFound',
  405: 'InvalidRequest',
  409: 'InvalidRequest',
  413: 'InvalidRequest',
  418: 'InvalidRequest',
  422: 'InvalidRequest',
  425: 'InvalidRequest',
  451: 'InvalidRequest',
};
for (const [status, name] of Object.entries(REFUSALS)) {
  create(status, { replies: [refusal(Number(status))] }, rejected(name));
  if (!['404', '425'].includes(status)) poll(status, { replies: [refusal(Number(status))] }, accepted(name));
}
create('499', { replies: [refusal(499)] }, unknown('InvalidRequest'));
// Something in between has not passed these on. A runtime may ask again by itself after a 421, as `fetch` is specified.
for (const status of [421, 425, 499]) poll(`${status}`, { replies: [refusal(status)] }, COMPLETED);

const BREAKDOWNS = [408, 500, 501, 502, 503, 504, 520, 521, 522, 523, 524, 529];
for (const status of BREAKDOWNS) {
  const more = status === 408 ? RESENT_BY_CHROMIUM : { everywhere: status === 500 };
  create(`${status}`, { replies: [refusal(status)] }, unknown('Server'), more);
  poll(`${status}`, { replies: [refusal(status)] }, COMPLETED);
}
poll('503 three times', { replies: [refusal(503)], times: 3 }, COMPLETED, EVERYWHERE);
poll('502 always', { replies: [refusal(502)], times: ALWAYS }, accepted('WaitTimeout'), {
  options: SHORT_WAIT,
});

for (const status of [400, 401, 403, 404]) {
  create(`${status} with a page`, { replies: [html(status)] }, rejected(REFUSALS[status]));
  create(`${status} with nothing`, { replies: [empty(status)] }, rejected(REFUSALS[status]));
  if (status === 404) continue;
  poll(`${status} with a page`, { replies: [html(status)] }, accepted(REFUSALS[status]));
  poll(`${status} with nothing`, { replies: [empty(status)] }, accepted(REFUSALS[status]));
}
for (const status of [408, 500, 502, 503, 520]) {
  const more = status === 408 ? RESENT_BY_CHROMIUM : {};
  create(`${status} with a page`, { replies: [html(status)] }, unknown('Server'), more);
  create(`${status} with nothing`, { replies: [empty(status)] }, unknown('Server'), more);
  poll(`${status} with a page`, { replies: [html(status)] }, COMPLETED);
  poll(`${status} with nothing`, { replies: [empty(status)] }, COMPLETED);
}
for (const [name, body] of [
  ['an array', []],
  ['a string', 'no'],
  ['a number', 5],
  ['null', null],
  ['an error that is a string', { error: 'no' }],
  [
    'an error of wrong types',
    { error: { message: 5, code: {}, type: [], retryable: 'yes', retry_after: 'x' } },
  ],
]) {
  create(`500 with ${name}`, { replies: [json(body, 500)] }, unknown('Server'));
  create(`400 with ${name}`, { replies: [json(body, 400)] }, rejected('InvalidRequest'));
  create(`503 with ${name}`, { replies: [json(body, 503)] }, unknown('Server'));
  poll(`500 with ${name}`, { replies: [json(body, 500)] }, COMPLETED);
  poll(`400 with ${name}`, { replies: [json(body, 400)] }, accepted('InvalidRequest'));
}
create('400 that breaks off', { replies: [script.cut(400)] }, rejected('InvalidRequest'));
create('500 that breaks off', { replies: [script.cut(500)] }, unknown('Server'));
create('503 that breaks off', { replies: [script.cut(503)] }, unknown('Server'));
poll('400 that breaks off', { replies: [script.cut(400)] }, accepted('InvalidRequest'));
poll('500 that breaks off', { replies: [script.cut(500)] }, COMPLETED);

// Refusals that allow a repetition, and the server's hints.

const again = { ...COMPLETED, creates: 2 };
const RETRYABLE = { retryable: true };
const FINAL = { retryable: false };

create('429 once', { replies: [refusal(429)] }, again, EVERYWHERE);
create('429 twice', { replies: [refusal(429)], times: 2 }, { ...COMPLETED, creates: 3 });
create('429 always', { replies: [refusal(429)], times: ALWAYS }, rejected('RateLimit', { creates: 3 }));
create('429 without retries', { replies: [refusal(429)] }, rejected('RateLimit'), {
  options: { maxRetries: 0 },
});
create('429 with a page', { replies: [html(429)] }, again);
create('429 with nothing', { replies: [empty(429)] }, again);
create('429 that breaks off', { replies: [script.cut(429)] }, again);
create('429, final', { replies: [refusal(429, FINAL)] }, rejected('RateLimit'));
create('503, retryable, once', { replies: [refusal(503, RETRYABLE)] }, again);
create(
  '503, retryable, always',
  { replies: [refusal(503, RETRYABLE)], times: ALWAYS },
  rejected('Server', { creates: 3 }),
);
create('503, final', { replies: [refusal(503, FINAL)] }, unknown('Server'));
create('500, retryable', { replies: [refusal(500, RETRYABLE)] }, unknown('Server'));
create('408, retryable', { replies: [refusal(408, RETRYABLE)] }, unknown('Server'), RESENT_BY_CHROMIUM);
create('400, retryable', { replies: [refusal(400, RETRYABLE)] }, rejected('InvalidRequest'));
create(
  '429, then 503, retryable',
  { replies: [refusal(429), refusal(503, RETRYABLE)] },
  { ...COMPLETED, creates: 3 },
);
create('429, then 500', { replies: [refusal(429), refusal(500)] }, unknown('Server', { creates: 2 }));
create(
  '429, then a reset',
  { replies: [refusal(429), () => ({ reset: true })] },
  unknown('Connection', { creates: 2 }),
  resentBy(['chromium', 'firefox'], { creates: 3 }),
);

const oneSecond = { minMs: 1000 };
/** A date has whole seconds, and the clock may stand anywhere within its millisecond. */
const oneSecondAsDate = { minMs: 990 };
const HUGE = { retryAfterMs: 86_400_000, ...AT_ONCE };
const HINTS = [
  ['Retry-After: 1', '1', oneSecond],
  ['Retry-After: 0', '0'],
  ['Retry-After as a date', dateIn(1000), oneSecondAsDate],
  ['Retry-After as a date that has passed', dateIn(-60_000)],
  ['Retry-After: soon', 'soon'],
  ['Retry-After: -5', '-5'],
];
for (const [name, value, expect] of HINTS) {
  create(`429, ${name}`, { replies: [retryAfter(429, value)] }, { ...again, ...expect });
  poll(`429, ${name}`, { replies: [retryAfter(429, value)] }, { ...COMPLETED, ...expect });
}
create(
  '503, retryable, Retry-After: 1',
  { replies: [retryAfter(503, '1', RETRYABLE)] },
  { ...again, ...oneSecond },
);
create('429, retry_after: 1', { replies: [refusal(429, { retry_after: 1 })] }, { ...again, ...oneSecond });
create('429, Retry-After of a day', { replies: [retryAfter(429, '86400')] }, rejected('RateLimit', HUGE));
create(
  '503, retryable, Retry-After of a day',
  { replies: [retryAfter(503, '86400', RETRYABLE)] },
  rejected('Server', HUGE),
);
create('429, Retry-After: 30, then aborted', { replies: [retryAfter(429, '30')] }, ABORTED, {
  abortAfter: 1000,
});

poll('429 once', { replies: [refusal(429)] }, COMPLETED);
poll('429 always', { replies: [refusal(429)], times: ALWAYS }, accepted('WaitTimeout'), {
  options: SHORT_WAIT,
});
poll('429 with a page', { replies: [html(429)] }, COMPLETED);
poll('429, retry_after: 1', { replies: [refusal(429, { retry_after: 1 })] }, { ...COMPLETED, ...oneSecond });
poll('503, Retry-After: 1', { replies: [retryAfter(503, '1')] }, { ...COMPLETED, ...oneSecond });
poll('429, Retry-After of a day', { replies: [retryAfter(429, '86400')] }, accepted('WaitTimeout', HUGE));
poll('503, Retry-After of a day', { replies: [retryAfter(503, '86400')] }, accepted('WaitTimeout', HUGE));
poll(
  '429, Retry-After: 2, then aborted',
  { replies: [retryAfter(429, '2')] },
  { ...ABORTED, maxMs: 1500, resumes: true },
  {
    abortAfter: 100,
  },
);
poll('503, final', { replies: [refusal(503, FINAL)] }, accepted('Server'));
poll('500, final', { replies: [refusal(500, FINAL)] }, accepted('Server'));
poll('429, final', { replies: [refusal(429, FINAL)] }, accepted('RateLimit'));
poll(
  'still running, Retry-After: 1',
  {
    replies: [({ task }) => ({ headers: { 'retry-after': '1' }, body: { ...task, status: 'processing' } })],
  },
  { ...COMPLETED, ...oneSecond },
  { call: 'waitForTask', argument: 'task' },
);
poll('503, one poll', { replies: [refusal(503)] }, accepted('Server'), once);
poll('429, one poll', { replies: [refusal(429)] }, accepted('RateLimit'), once);

// A task that cannot be found. A fresh one may not be known everywhere yet.

create('404 async_task_not_found', { replies: [script.taskNotFound] }, rejected('TaskNotFound'));
for (const [name, reply, Class] of [
  ['404', refusal(404), 'NotFound'],
  ['404 with a page', html(404), 'NotFound'],
  ['404 async_task_not_found', script.taskNotFound, 'TaskNotFound'],
]) {
  const elsewhere = { call: 'waitForTask', argument: 'task' };
  const byId = { call: 'waitForTask', argument: 'id' };
  poll(`${name}, fresh task`, { replies: [reply], times: 3 }, COMPLETED);
  poll(`${name}, fresh task, always`, { replies: [reply], times: ALWAYS }, accepted('WaitTimeout'), {
    options: SHORT_WAIT,
  });
  poll(`${name}, task from elsewhere, once`, { replies: [reply] }, COMPLETED, elsewhere);
  poll(
    `${name}, task from elsewhere, always`,
    { replies: [reply], times: ALWAYS },
    accepted(Class),
    elsewhere,
  );
  poll(`${name}, by id, once`, { replies: [reply] }, COMPLETED, byId);
  poll(`${name}, by id, always`, { replies: [reply], times: ALWAYS }, accepted(Class), byId);
  poll(`${name}, one poll`, { replies: [reply] }, accepted(Class), once);
}

// Redirects are not followed, wherever they lead: the key would go along.

for (const status of [301, 302, 303, 307, 308]) {
  const reply = redirect(status, TARGETS['another origin']);
  const more = { everywhere: status === 307 };
  create(`redirect, ${status} to another origin`, { replies: [reply] }, rejected('Response'), more);
  poll(`redirect, ${status} to another origin`, { replies: [reply] }, accepted('Response'), more);
}
for (const [name, to] of Object.entries(TARGETS).slice(1)) {
  create(`redirect, 307 to ${name}`, { replies: [redirect(307, to)] }, rejected('Response'));
  poll(`redirect, 302 to ${name}`, { replies: [redirect(302, to)] }, accepted('Response'));
}
create('redirect, 300', { replies: [redirect(300, TARGETS['another origin'])] }, rejected('Response'));
poll('redirect, 300', { replies: [redirect(300, TARGETS['another origin'])] }, accepted('Response'));
poll(
  'redirect, 302, one poll',
  { replies: [redirect(302, TARGETS['another origin'])] },
  accepted('Response'),
  once,
);

// A poll URL at another origin is not called.

const FOREIGN = {
  'another origin': ({ foreignUrl, task }) => `${foreignUrl}${task.poll_url}`,
  'another origin, without a scheme': ({ foreignUrl, task }) => `${foreignUrl.slice(5)}${task.poll_url}`,
  'another origin, with a backslash': ({ foreignUrl, task }) => `/\\${foreignUrl.slice(7)}${task.poll_url}`,
  'another scheme': ({ url, task }) => `${url.replace('http:', 'https:')}${task.poll_url}`,
  'no server': () => 'data:application/json,{}',
};
for (const [name, pollUrl] of Object.entries(FOREIGN)) {
  const body = (context) => ({
    task_id: context.task.task_id,
    status: 'pending',
    poll_url: pollUrl(context),
  });
  create(`poll_url, ${name}`, { replies: [json(body)] }, accepted('UntrustedUrl'), {
    everywhere: name === 'another origin',
  });
  poll(`poll_url, ${name}`, { replies: [json(body)] }, COMPLETED);
  poll(
    `poll_url, ${name}, first one`,
    {
      created: json(({ task }) => ({ task_id: task.task_id, status: 'pending' })),
      replies: [json(body)],
    },
    COMPLETED,
  );
}

// Answers that were successful and cannot be understood. For a create they may have cost money; for a poll a
// body that did not arrive whole is a lost answer, and one that did is an answer.

const UNREADABLE = [
  ['a page', html(200)],
  ['nothing', empty(200)],
  ['nothing, as a 204', empty(204)],
  ['no JSON', text('OK, your image is on its way!')],
  ['half of the JSON', text('{"created": 1706000000, "data": [{"ur')],
  ['a body that breaks off', script.cut()],
  [
    'a lie about compression',
    () => ({ headers: { 'content-encoding': 'gzip' }, body: '{"status": "pending"}' }),
  ],
  ['ten megabytes of a page', script.hugePage(200)],
];
for (const [name, reply] of UNREADABLE) {
  create(`success with ${name}`, { replies: [reply] }, unknown('Response'));
  poll(`success with ${name}`, { replies: [reply] }, COMPLETED);
}
poll('200 with a page, always', { replies: [html(200)], times: ALWAYS }, accepted('WaitTimeout'), {
  options: SHORT_WAIT,
});
poll('200 with a page, one poll', { replies: [html(200)] }, accepted('Response'), once);

// JSON that says nothing of a task is a lost answer to a poll, too.
for (const [name, body] of [
  ['an array', []],
  ['a string', 'completed'],
  ['a number', 42],
  ['null', null],
  ['true', true],
  ['an empty object', {}],
  ['an error', { error: { message: 'Something went wrong', code: 'server_error' } }],
]) {
  create(`200 with ${name}`, { replies: [json(body)] }, unknown('Response'));
  poll(`200 with ${name}`, { replies: [json(body)] }, COMPLETED);
}
poll(
  '200 with an error that is final',
  { replies: [json({ error: { message: 'No', retryable: false } })] },
  accepted('Response'),
);
// A browser's cache must not freeze a task.
poll(
  'answers that a cache may keep',
  {
    replies: [
      (context) => {
        const reply = json(({ task }) => ({ ...task, status: 'processing', data: [] }))(context);
        return { ...reply, headers: { ...reply.headers, 'cache-control': 'max-age=3600' } };
      },
    ],
  },
  COMPLETED,
  EVERYWHERE,
);
// A relay may answer a poll with a stream. One that breaks off, or says nothing, is followed by polls.
const event = ({ task }) => `data: ${JSON.stringify({ ...task, status: 'processing', data: [] })}\n\n`;
for (const [name, body] of [
  ['that ends', event],
  ['without an event', () => ''],
  ['of heartbeats alone', () => ':\n\n:\n\n'],
  ['that breaks off in an event', (context) => `${event(context)}data: {"task_id": "i`],
  ['that says no JSON', () => 'data: bad gateway\n\n'],
]) {
  const reply = (context) => ({ headers: { 'content-type': 'text/event-stream' }, body: body(context) });
  poll(`a stream ${name}`, { replies: [reply] }, COMPLETED, {
    options: { relay: true },
    ...EVERYWHERE,
  });
}
// What is done without a result has failed.
for (const [name, body] of [
  ['completed, no images', { status: 'completed', data: [] }],
  [
    'completed, filtered',
    { status: 'completed', data: [], error: { message: 'Filtered', code: 'content_policy' } },
  ],
  ['completed in capitals, no images', { status: 'COMPLETED' }],
  ['an end of another dialect', { status: 'Expired' }],
  ['completed, images of a wrong type', { status: 'completed', data: 'here' }],
  ['completed, an image of a wrong type', { status: 'completed', data: [null, 5, { url: 5 }] }],
]) {
  create(`200 with ${name}`, { replies: [json(body)] }, error('TaskFailed', 'failed'));
  poll(`200 with ${name}`, { replies: [json(body)] }, error('TaskFailed', 'failed'));
}
for (const [name, body] of [
  ['no images', { data: [] }],
  ['images of a wrong type', { data: 'here' }],
  ['placeholders alone', { data: [{ url: '' }] }],
  ['an id of a wrong type', { task_id: 0.5, status: 'pending' }],
  ['pending, no id', { status: 'pending' }],
]) {
  create(`200 with ${name}`, { replies: [json(body)] }, unknown('Response'));
}
create(
  '200 with a task, completed, no images',
  {
    replies: [json(({ task }) => ({ ...task, status: 'completed', data: [] }))],
  },
  error('TaskFailed', 'failed'),
);

const STILL_RUNNING = [
  ['a status of a wrong type', { status: 5 }],
  ['an unknown status', { status: 'queued' }],
  ['images of a wrong type', { status: 'pending', data: 'soon' }],
  ['a poll_url of a wrong type', { status: 'pending', poll_url: 5 }],
  ['progress of a wrong type', { status: 'processing', progress: 'half' }],
];
for (const [name, fields] of STILL_RUNNING) {
  const reply = json(({ task }) => ({ task_id: task.task_id, ...fields }));
  create(`200 with a task, ${name}`, { replies: [reply] }, COMPLETED);
  poll(`200 with a task, ${name}`, { replies: [reply] }, COMPLETED);
}
create(
  '202 with a task',
  { replies: [json(({ task }) => ({ ...task, status: 'pending' }), 202)] },
  COMPLETED,
);

const FAILURES = [
  ['a string', { error: 'no capacity' }, 'TaskFailed'],
  ['a number', { error: 12 }, 'TaskFailed'],
  ['nothing', {}, 'TaskFailed'],
  ['cancelled: true', { cancelled: true }, 'TaskCancelled'],
  ['cancelled of a wrong type', { cancelled: 'yes' }, 'TaskFailed'],
];
for (const [name, fields, Class] of FAILURES) {
  const reply = json(({ task }) => ({ ...task, status: 'failed', ...fields }));
  create(`a failed task, ${name}`, { replies: [reply] }, error(Class, 'failed'));
  poll(`a failed task, ${name}`, { replies: [reply] }, error(Class, 'failed'));
}

// Payloads of ten megabytes.

create('a picture of ten megabytes', { replies: [script.hugePicture] }, COMPLETED);
poll('a picture of ten megabytes', { replies: [script.hugePicture] }, COMPLETED);
create('500 with ten megabytes', { replies: [script.hugePage(500)] }, unknown('Server'));
poll('500 with ten megabytes', { replies: [script.hugePage(500)] }, COMPLETED);

// A server that repeats the key.

for (const [name, reply] of Object.entries(script.echoes)) {
  const Class = name === 'in the message' ? 'Authentication' : 'InvalidRequest';
  create(`the key ${name}`, { replies: [reply] }, rejected(Class));
  poll(`the key ${name}`, { replies: [reply] }, accepted(Class));
}
create(
  '200 with the key in a page',
  { replies: [({ apiKey }) => ({ body: `<p>${apiKey}</p>` })] },
  unknown('Response'),
);

// Edits are creates: the same faults strike them, and come to the same.

const creates = CASES.filter(({ where }) => where === 'create');
for (const kind of ['edit', 'form']) {
  for (const item of creates) {
    CASES.push({
      ...item,
      kind,
      name: item.name.replace(/^create/, kind === 'form' ? 'edit, form' : 'edit'),
      call: item.call.replace('generate', 'edit'),
    });
  }
}

// A chain of three models. The next one is asked where the last can bill nothing: where nothing was sent, where the
// rate limit refused it beyond the retries, and where its task has failed. Every other end is that of one model.

const allowsFallback = ({ className, outcome }) =>
  outcome === 'not_sent' ||
  (outcome === 'rejected' && className === 'RateLimitError') ||
  (outcome === 'failed' && className === 'TaskFailedError');

function chainOf({ expect, ...item }) {
  const isLasting = [item.times, item.fault?.times, item.fault?.ms].includes(ALWAYS);
  const { length } = item.models;
  const end = isLasting
    ? { ...expect, creates: length * expect.creates }
    : { className: 'completed', creates: expect.creates + 1, resumes: false };
  return {
    ...item,
    name: `${item.name}, fallback`,
    hasFallback: true,
    failures: expect.outcome === 'failed' ? 1 : 0,
    expect: allowsFallback(expect) ? end : expect,
  };
}

CASES.push(...CASES.filter(({ argument, kind }) => !argument && kind !== 'edit').map(chainOf));
