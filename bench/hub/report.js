/** The figures of a load run as a table in Markdown, for people and for `docs/scale.md`. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/lib/run.js';

const PAGE = join(root, 'docs', 'scale.md');
const BEGIN = '<!-- measured -->';
const END = '<!-- /measured -->';

const whole = (value) => Math.round(value).toLocaleString('en');
const tenth = (value) => value.toFixed(1);

/** @param {any} results of `bench/hub.js` */
export function tableOf(results) {
  const { tasks, createsPerSecond, upstream, megabytes, kilobytesPerTask, streams, sockets, held } = results;
  const { milliseconds, machine, pollInterval, seconds } = results;
  const both = ({ median, p99 }) => `${whole(median)} / ${whole(p99)} ms`;
  const opened = ({ wanted, open, seconds: duration }) =>
    `${whole(open)} of ${whole(wanted)} in ${whole(duration)} s`;
  const rows = [
    ['tasks', whole(tasks)],
    ['creates per second through relay and hub', whole(createsPerSecond)],
    ['creates upstream per task', tenth(upstream.creates / tasks)],
    [
      'polls upstream per task and minute, with all watchers',
      `${tenth(upstream.pollsPerTaskAndMinute)} (the interval allows ${tenth(upstream.expected)})`,
    ],
    ['workerd before the first task', `${whole(megabytes.empty)} MB`],
    ['memory per task, right after the creates', `${tenth(kilobytesPerTask.live)} kB`],
    ['memory per task, 13 s later, when many objects are evicted', `${tenth(kilobytesPerTask.evicted)} kB`],
    ['watchers by server-sent events through the worker', opened(streams)],
    ['memory per watcher so', `${tenth(streams.kilobytesEach)} kB`],
    ['watchers by WebSocket', opened(sockets)],
    ['memory per watcher so', `${tenth(sockets.kilobytesEach)} kB`],
    ['for comparison: streams held open in objects, four in each', opened(held)],
    ['memory per watcher so, a quarter of an object included', `${tenth(held.kilobytesEach)} kB`],
    [
      'from the answer upstream to the push, server-sent events: median / p99',
      both(milliseconds.streams.answer),
    ],
    ['the same, WebSocket', both(milliseconds.sockets.answer)],
    [
      'from the end of the task to the push, server-sent events: median / p99',
      both(milliseconds.streams.completion),
    ],
    ['the same, WebSocket', both(milliseconds.sockets.completion)],
  ];
  return [
    `${machine.cores} cores (${machine.processor}), shared by ${results.shards} workerd, provider and all watchers, ` +
      `whose load was ${tenth(machine.loadBefore)} before; a poll every ${pollInterval.min / 1000}–${pollInterval.max / 1000} s; ` +
      `${whole(seconds)} s in all.`,
    '',
    '| | |',
    '| --- | --- |',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ].join('\n');
}

/** Prints the table, and writes it into `docs/scale.md`. */
export function report(results) {
  const table = tableOf(results);
  console.log(`\n${table}\n`);
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) return;
  writeFileSync(PAGE, `${page.slice(0, from)}${BEGIN}\n\n${table}\n\n${page.slice(to)}`);
}
