/** The targets, and whether the results meet them. */

import { CADENCE_BASE } from './cadence.js';
import { CLIENTS, LIMIT, marked, OURS, SLIM } from './clients/index.js';
import { kilobytes, short } from './measure.js';
import { PROXY } from './relay.js';

const ratio = ({ ratio: { median } }) => median;
const times = (number) => `${number.toFixed(2)} ×`;

/** Below every SDK, by the ratios to the bare loop, which compare measurements of the same round. */
function below(name, rows, unit) {
  const sdks = Object.keys(rows).filter((client) => CLIENTS[client].isSdk);
  const best = sdks.reduce((least, client) => (ratio(rows[client]) < ratio(rows[least]) ? client : least));
  const show = (row) => `${short(row.median)} ${unit}, ${times(ratio(row))} the bare loop`;
  const limit = rows[LIMIT] ? `; the limit, ${marked(LIMIT)}: ${times(ratio(rows[LIMIT]))}` : '';
  return {
    name,
    target: 'below every SDK',
    measured: `${show(rows[OURS])}; the best SDK, ${marked(best)}: ${show(rows[best])}${limit}`,
    isMet: ratio(rows[OURS]) < ratio(rows[best]),
  };
}

/** At most a multiple of a baseline. */
const atMost = (name, row, most, base = 'the bare loop') => ({
  name,
  target: `≤ ${most} × ${base}`,
  measured: times(ratio(row)),
  isMet: ratio(row) <= most,
});

/** At most `most` bytes. */
const small = (name, row, most) => ({
  name,
  target: `≤ ${kilobytes(most)}`,
  measured: kilobytes(row.median),
  isMet: row.median <= most,
});

/** The peak of a fleet's polls. */
const peak = (name, { peakOverMean }) => ({
  name,
  target: '≤ 1.3',
  measured: peakOverMean.toFixed(2),
  isMet: peakOverMean <= 1.3,
});

/** The relay's share of a call, beside that of a proxy that does nothing but pass it on. */
const relayed = (name, { rows }) => {
  const judged = atMost(name, rows['through the relay'], 1.35, 'a direct call');
  return { ...judged, measured: `${judged.measured}; a bare proxy: ${times(ratio(rows[PROXY]))}` };
};

const STARTS = {
  node: 'import to first request, Node',
  chromium: 'import to first request, Chromium',
  workerd: 'import to first request, workerd',
  slow: 'navigation to first request, Chromium on a slow line and processor',
};

const JUDGES = {
  download: ({ rows }) => [
    {
      name: 'download of the default entry, brotli',
      target: '≤ 16.5 KB',
      measured: kilobytes(rows[OURS].brotli),
      isMet: rows[OURS].brotli <= 16_500,
    },
    {
      name: 'download of `slim` with its module, brotli',
      target: '≤ 14 KB',
      measured: kilobytes(rows[SLIM].brotli),
      isMet: rows[SLIM].brotli <= 14_000,
    },
  ],
  start: (start) =>
    Object.entries(STARTS).flatMap(([measure, name]) =>
      start[measure] ? [below(name, start[measure].rows, 'ms')] : [],
    ),
  inline: ({ rows, bounded }) => [
    ...(bounded
      ? [
          atMost(
            'one inline call, processor time',
            bounded,
            1.05,
            'the bare loop with a signal and a time-out',
          ),
        ]
      : []),
    below('one inline call, processor time', rows, 'µs'),
  ],
  waits({ memory, aged, polls }) {
    const judged = [];
    if (memory) {
      const [few, many] = memory.byCount.slice(-2);
      const growth = many.rows[OURS].median / few.rows[OURS].median;
      judged.push(
        small(`memory of one of ${many.count} waits`, many.rows[OURS], 2_500),
        below(`processor time of a poll, of ${many.count} waits`, polls.byCount.at(-1).rows, 'µs'),
        {
          name: `memory of a wait: ${many.count} waits against ${few.count}`,
          target: 'linear: ≤ 1.1 ×',
          measured: times(growth),
          isMet: growth <= 1.1,
        },
      );
    }
    if (aged) judged.push(small(`memory of a wait after ${aged.polls} polls`, aged.rows[OURS], 2_500));
    return judged;
  },
  payload: ({ memory, time, linear }) => [
    atMost('four pictures of 10 MB: peak memory', memory.rows[OURS], 1.1),
    atMost('four pictures of 10 MB: time to Blobs', time.rows[OURS], 1.1),
    {
      name: 'four pictures of 10 MB: growth of linear memory',
      target: 'none',
      measured: `${linear[1] - linear[0]} bytes`,
      isMet: linear[1] === linear[0],
    },
  ],
  cadence({ steady, burst }) {
    const judged = [];
    if (steady) {
      const [own, fixed] = [steady.rows[OURS], steady.rows[CADENCE_BASE]];
      judged.push(
        {
          name: 'polls per task',
          target: 'no more than a fixed 4 s loop',
          measured: `${own.polls.toFixed(2)}; the loop: ${fixed.polls.toFixed(2)}`,
          isMet: own.polls <= fixed.polls,
        },
        {
          name: 'mean delay from completion to resolution',
          target: 'no worse than a fixed 4 s loop',
          measured: `${short(own.delay.mean)} ms; the loop: ${short(fixed.delay.mean)} ms`,
          isMet: own.delay.mean <= fixed.delay.mean,
        },
        peak("peak rate of a steady fleet's polls over their mean", steady.rows[OURS]),
      );
    }
    if (burst) judged.push(peak('the same of 10,000 tasks that begin at once', burst.rows[OURS]));
    return judged;
  },
  relay: ({ creates, polls }) => [
    ...(creates ? [relayed("the relay's overhead in Node, a create", creates)] : []),
    ...(polls ? [relayed("the relay's overhead in Node, a poll", polls)] : []),
  ],
};

/**
 * @param {Record<string, any>} results by part
 * @returns {{ name: string, target: string, measured: string, isMet: boolean }[]}
 */
export const judgeTargets = (results) =>
  Object.entries(JUDGES).flatMap(([part, judge]) => (results[part] ? judge(results[part]) : []));
