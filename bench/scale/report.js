/** Makes the tables and the charts of docs/scale.md. */

import { lines } from '../chart.js';
import { table } from '../markers.js';
import { HUB, PRICES, SHELL, WORLD } from './assumptions.js';
import { bill, freeTasks, hubUsage, monthly, relayUsage, streamUsage, total } from './costs.js';

const WATCHERS = [1, 10, 1000];
/** A poll that comes later than this was not sent at the cadence. */
const CADENCE_MS = 6000;
/** A result that is delivered later than this is late. */
const LATE_MS = 30_000;
const MINUTES = 1440;

const number = (value, digits = 0) =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
const dollars = (value) => `$${number(value, value < 100 ? 2 : 0)}`;
const seconds = (ms) => `${number(ms / 1000, ms < 10_000 ? 1 : 0)} s`;
const percent = (part) => (part > 0 && part < 0.001 ? '< 0.1 %' : `${number(part * 100, 1)} %`);

const limitOf = ({ requestsPerMinute }) => `${number(requestsPerMinute)} a minute`;
const best = ({ days }) => days.at(-1);
/** How often a task is polled where nothing waits. */
const calmPolls = ({ loads }) => loads[0].polls / loads[0].tasks;

/** The largest load up to which every one passes a test. */
function upTo(loads, test) {
  const failed = loads.findIndex((load) => !test(load));
  return loads[(failed === -1 ? loads.length : failed) - 1]?.load ?? 0;
}

/** How far a limit carries, in hundredths of it. */
const steps = ({ loads }) => [
  ['polls at the cadence', upTo(loads, ({ pollGap }) => pollGap.p95 <= CADENCE_MS)],
  [
    `results delivered within ${LATE_MS / 1000} s (95 %)`,
    upTo(loads, ({ deliveryDelay }) => deliveryDelay.p95 <= LATE_MS),
  ],
  ['no create given up', upTo(loads, ({ idle }) => idle === 0)],
];

const dayRow = (day) => [
  limitOf(day),
  number(day.completed),
  number(day.idle),
  number(day.suspended),
  number(day.unknown),
  number(day.lost),
  number(day.doubled),
  number(day.busiestMinute),
  number(day.refused),
];

const waitRow = (day) => [
  limitOf(day),
  ...[day.createWait, day.pollGap, day.deliveryDelay].flatMap(({ p50, p95 }) => [
    `${seconds(p50)} / ${seconds(p95)}`,
  ]),
  number(day.mostCreatesWaiting),
  number(day.mostPollsWaiting),
  number(day.mostTasksAtOnce),
];

const workRow = (day) => [
  limitOf(day),
  number((day.creates + day.polls) / day.tasks, 1),
  number(day.limiterRequests / day.tasks, 1),
  number(day.alarmsSet / day.tasks, 1),
  number(day.busiestLimiterSecond),
];

function costRows(results) {
  const day = best(results);
  const [hub, stream] = [hubUsage(day), streamUsage(day)];
  const relay = relayUsage(day.tasks, calmPolls(results));
  const cost = [hub, stream, relay].map(bill);
  const rows = Object.entries(PRICES.units).map(([unit, { name }]) => [
    name,
    number((hub[unit] ?? 0) / day.tasks, 2),
    ...cost.map((parts) => (parts[unit] === undefined ? '–' : dollars(parts[unit]))),
  ]);
  const sums = ['**a million tasks**', '', ...cost.map((parts) => `**${dollars(total(parts))}**`)];
  const months = [
    'a month of such days, with what the plan includes',
    '',
    ...[hub, stream, relay].map((usage) => dollars(monthly(usage))),
  ];
  return [...rows, sums, months];
}

function watcherRows(results) {
  const day = best(results);
  const polls = calmPolls(results);
  const perTask = (day.creates + day.polls) / day.tasks;
  return WATCHERS.map((watchers) => {
    const cost = (usage) => dollars(total(bill(usage)) / (day.tasks / 1000));
    return [
      number(watchers),
      number(perTask, 1),
      number(1 + polls * watchers),
      cost(hubUsage(day, watchers)),
      cost(streamUsage(day, watchers)),
      cost(relayUsage(day.tasks, polls, watchers)),
    ];
  });
}

/** From how many watchers on the hub costs less than clients that poll. */
function even(results) {
  const day = best(results);
  const cost = (usage) => total(bill(usage));
  const relay = (watchers) => cost(relayUsage(day.tasks, calmPolls(results), watchers));
  const hub = (watchers) => cost(hubUsage(day, watchers));
  const gained = relay(1) - relay(0) - (hub(1) - hub(0));
  const watchers = Math.ceil((hub(0) - relay(0)) / gained);
  return (
    'For a single watcher the hub costs more than a plain relay: it pays for tasks that outlive the page, and for ' +
    `staying below the limit. From ${number(watchers)} watchers a task on it costs less.`
  );
}

function breaks(results) {
  const day = best(results);
  const [[cadence], [late], [complete]] = steps(results).map(([, load]) => [load]);
  const perDay = (load, limit) => number((load / 100) * limit * (MINUTES / 2));
  const limits = results.days.map(({ requestsPerMinute }) => requestsPerMinute);
  const list = (load) => limits.map((limit) => perDay(load, limit)).join(' / ');
  const busiest = day.busiestLimiterSecond / (day.requestsPerMinute / 60);
  const limiter = (PRICES.objectRequestsPerSecond / busiest) * 60;
  const free = freeTasks(hubUsage(day), day.tasks);
  const cost = bill(hubUsage(day));
  const rowsPart = cost.rowsWritten / total(cost);
  const name = limits.map((limit) => number(limit)).join(' / ');
  return [
    `1. **The free plan**, long before anything else. It carries ${free
      .slice(0, 3)
      .map(([unit, tasks]) => `${number(tasks)} tasks a day by its ${unit}`)
      .join(', ')}.`,
    `2. **The provider’s limit.** Of ${name} requests a minute, polls at the cadence carry ${list(cadence)} tasks a ` +
      `day whose peak is twice the mean. Beyond that, polls wait for their admission, and results come later: within ` +
      `${LATE_MS / 1000} s up to ${list(late)}. Beyond ${list(complete)}, creates are given up.`,
    `3. **Rows written**, in money: ${percent(rowsPart)} of what a task costs. Each poll writes a state and sets an ` +
      'alarm; a longer `pollInterval` is what saves most.',
    `4. **The limiter**, one object for a key: asked up to ${number(busiest, 1)} times for each request that the limit ` +
      `allows in the busiest second, so that about ${number(PRICES.objectRequestsPerSecond)} a second are reached at ` +
      `a limit of about ${number(Math.round(limiter / 1000) * 1000)} requests a minute. Then it has to admit requests in ` +
      'batches, or a key has to be split.',
    `5. **The memory of the limiter**: at most ${number(
      Math.max(...results.days.map((one) => one.mostCreatesWaiting + one.mostPollsWaiting)),
    )} requests waited at once, of some 300 bytes each, in an isolate of 128 MB. An object of a task holds one task.`,
  ].join('\n');
}

const assumptionRows = (table) =>
  Object.entries(table).map(([name, [value, meaning]]) => [
    `\`${name}\``,
    Array.isArray(value) ? value.map((part) => number(part)).join('–') : `${value}`,
    meaning,
  ]);

/** The tables, by the names of their markers. */
export const tables = (results) => ({
  assumptions: table(
    ['name', 'value', 'unit and meaning'],
    [...assumptionRows(WORLD), ...assumptionRows(HUB), ...assumptionRows(SHELL)],
  ),
  prices: [
    `Looked up on ${PRICES.lookedUp}: ${Object.entries(PRICES.pages)
      .map(([name, url]) => `[${name}](${url})`)
      .join(', ')}.\n`,
    table(
      ['unit', 'a million', 'a month of the paid plan includes', 'a day of the free plan'],
      Object.values(PRICES.units).map(({ name, price, month, day }) => [
        name,
        `$${price}`,
        number(month),
        day ? number(day) : '–',
      ]),
    ),
  ].join('\n'),
  carried: table(
    ['up to', 'of the limit', ...results.days.map((day) => `${limitOf(day)}: tasks a day`)],
    steps(results).map(([name, load]) => [
      name,
      `${load} %`,
      ...results.days.map((day) => number((load / 100) * day.requestsPerMinute * (MINUTES / 2))),
    ]),
  ),
  days: table(
    [
      'limit',
      'completed',
      'given up',
      'suspended',
      'unknown',
      '**lost**',
      '**doubled**',
      'busiest minute',
      'answers of 429',
    ],
    results.days.map(dayRow),
  ),
  waits: table(
    [
      'limit',
      'wait for the create',
      'gap between polls',
      'delivered after the end',
      'creates waiting',
      'polls waiting',
      'tasks at once',
    ],
    results.days.map(waitRow),
  ),
  work: table(
    ['limit', 'requests a task', 'requests to the limiter', 'alarms set', 'of them in the busiest second'],
    results.days.map(workRow),
  ),
  costs: table(
    ['unit', 'a task of the hub', 'hub', 'streams held by the object', 'plain relay'],
    costRows(results),
  ),
  watchers: table(
    ['watchers', 'upstream: hub', 'upstream: relay', 'hub', 'streams held by the object', 'plain relay'],
    watcherRows(results),
  ),
  even: even(results),
  breaks: breaks(results),
});

const hour = (minute) => `${minute / 60}:00`;
const day = { label: 'time of day', from: 0, to: MINUTES, ticks: [0, 360, 720, 1080, 1440], text: hour };
const name = ({ requestsPerMinute }) => `${number(requestsPerMinute)} / min`;
const decade = (value) => number(value);

/** The charts, by the names of their files. */
export const charts = ({ days, loads }) => ({
  requests: lines('Requests to the provider', {
    x: day,
    y: { label: 'a minute', from: 0, to: 10_000, ticks: [0, 1000, 3000, 5000, 10_000], text: decade },
    series: days.map((one) => ({
      name: name(one),
      points: one.series.map(({ minute, requests }) => [minute + 5, requests / 10]),
    })),
  }),
  delivery: lines('From the end of a task to the watcher, 95 %', {
    x: day,
    y: { label: 'seconds', from: 1, to: 300, ticks: [1, 3, 10, 30, 100, 300], log: true },
    series: days.map((one) => ({
      name: name(one),
      points: one.series.map(({ minute, deliveryDelay }) => [minute + 5, deliveryDelay.p95 / 1000]),
    })),
  }),
  'given-up': lines('Creates given up', {
    x: day,
    y: { label: 'a minute', from: 0, to: 1000, ticks: [0, 250, 500, 750, 1000] },
    series: days.map((one) => ({
      name: name(one),
      points: one.series.map(({ minute, givenUp }) => [minute + 5, givenUp / 10]),
    })),
  }),
  load: lines('What waits as the load grows', {
    x: {
      label: 'creates, % of the provider’s limit',
      from: 0,
      to: loads.at(-1).load,
      ticks: [0, 5, 10, 20, 30, 40, 50, 60, 80],
    },
    y: { label: 'seconds', from: 0.1, to: 300, ticks: [0.1, 1, 3, 10, 30, 100, 300], log: true },
    series: [
      { name: 'gap of polls, 95 %', points: loads.map(({ load, pollGap }) => [load, pollGap.p95 / 1000]) },
      {
        name: 'delivered after, 95 %',
        points: loads.map(({ load, deliveryDelay }) => [load, deliveryDelay.p95 / 1000]),
      },
      {
        name: 'delivered after, 50 %',
        points: loads.map(({ load, deliveryDelay }) => [load, deliveryDelay.p50 / 1000]),
      },
      {
        name: 'create waits, 95 %',
        points: loads.map(({ load, createWait }) => [load, createWait.p95 / 1000]),
      },
    ],
  }),
});
