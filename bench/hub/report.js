/** The figures of a load run as a table in Markdown, for people and for `docs/scale.md`. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/lib/run.js';
import { between, table } from '../markers.js';

const PAGE = join(root, 'docs', 'scale.md');

const whole = (value) => Math.round(value).toLocaleString('en');
const tenth = (value) => value.toFixed(1);

/** @param {any} results of `bench/hub.js` */
function figuresOf(results) {
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
    table(['', ''], rows),
  ].join('\n');
}

/** Prints the table, and writes it into `docs/scale.md`. */
export function report(results) {
  const figures = figuresOf(results);
  console.log(`\n${figures}\n`);
  writeFileSync(PAGE, between(readFileSync(PAGE, 'utf8'), 'measured', figures));
}
