/** Merges the figures of parts of a load that ran at the same time. */

import { quantile } from '../measure.js';

const sum = (values) => values.reduce((total, value) => total + value, 0);
const mean = (values) => sum(values) / values.length;

function spread(lists) {
  const sorted = lists.flat().sort((a, b) => a - b);
  return { count: sorted.length, median: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
}

/** @param {any[]} parts the results of `run.js` */
export function merge(parts) {
  const each = (pick) => parts.map(pick);
  const opened = (kind) => ({
    wanted: sum(each((part) => part[kind].wanted)),
    open: sum(each((part) => part[kind].open)),
    seconds: Math.max(...each((part) => part[kind].seconds)),
    kilobytesEach: mean(each((part) => part[kind].kilobytesEach).filter((value) => value !== undefined)),
  });
  const spreads = (kind) => ({
    answer: spread(each(({ milliseconds }) => milliseconds[kind].answer)),
    completion: spread(each(({ milliseconds }) => milliseconds[kind].completion)),
  });
  return {
    pollInterval: parts[0].pollInterval,
    tasks: sum(each(({ tasks }) => tasks)),
    createsPerSecond: sum(each(({ createsPerSecond }) => createsPerSecond)),
    upstream: {
      creates: sum(each(({ upstream }) => upstream.creates)),
      pollsPerTaskAndMinute: mean(each(({ upstream }) => upstream.pollsPerTaskAndMinute)),
      expected: parts[0].upstream.expected,
    },
    megabytes: {
      empty: mean(each(({ megabytes }) => megabytes.empty)),
      created: mean(each(({ megabytes }) => megabytes.created)),
      settled: mean(each(({ megabytes }) => megabytes.settled)),
    },
    kilobytesPerTask: {
      live: mean(each(({ kilobytesPerTask }) => kilobytesPerTask.live)),
      evicted: mean(each(({ kilobytesPerTask }) => kilobytesPerTask.evicted)),
    },
    streams: opened('streams'),
    sockets: opened('sockets'),
    milliseconds: { streams: spreads('streams'), sockets: spreads('sockets') },
    held: parts.find(({ held }) => held).held,
  };
}
