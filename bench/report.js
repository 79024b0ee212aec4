/** Shows the results: tables for `docs/performance.md`, and charts. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../scripts/lib/run.js';
import { bars, columns, lines } from './chart.js';
import { BASE, BOUNDED, CLIENTS, marked, OURS, PROMISES, SLIM } from './clients/index.js';
import { between, table } from './markers.js';
import { kilobytes, short } from './measure.js';
import { dateNote, noiseNote } from './noise.js';
import { judgeTargets } from './targets.js';

const PAGE = join(root, 'docs', 'performance.md');
/** The same numbers for users who do not compare, in words. */
const COST_PAGE = join(root, 'docs', 'cost.md');
const CHART_FOLDER = join(root, 'docs', 'performance');

const medianOf = ({ median }) => median;
const twoDigits = (number) => number.toFixed(2);
const isOwn = (name) => name === OURS || name === SLIM;
const last = (list) => list.at(-1);
const strong = (text, name) => (isOwn(name) ? `**${text}**` : text);

/**
 * The rows of the summary: their name, their part of the results, and the text of a value. Cells show ratios, except for
 * bytes.
 *
 * @type {[name: string, rowsOf: (results: any) => any, text: (row: any) => string, options?: { isAbsolute: boolean }][]}
 */
const ROWS = [
  [
    'download, brotli',
    ({ download }) => download.rows,
    ({ brotli }) => kilobytes(brotli),
    { isAbsolute: true },
  ],
  ['import to first request, Node', ({ start }) => start.node.rows, inUnit('ms')],
  ['… Chromium', ({ start }) => start.chromium.rows, inUnit('ms')],
  ['… workerd', ({ start }) => start.workerd.rows, inUnit('ms')],
  ['… Chromium, slow line and processor', ({ start }) => start.slow?.rows ?? {}, inUnit('ms')],
  ['an inline call, CPU', ({ inline }) => inline.rows, inUnit('µs')],
  ['10,000 waits, memory of each', ({ waits }) => last(waits.memory.byCount).rows, inUnit('bytes')],
  ['10,000 waits, CPU of a poll', ({ waits }) => last(waits.polls.byCount).rows, inUnit('µs')],
  ['4 × 10 MB, peak memory', ({ payload }) => payload.memory.rows, inUnit('MB')],
  ['4 × 10 MB, time to Blobs', ({ payload }) => payload.time.rows, inUnit('ms')],
];

function inUnit(unit) {
  return ({ median }) => `${short(median)} ${unit}`;
}

/** The summary: a row for each measure, a column for each client. */
function ratios(results) {
  const names = Object.keys(CLIENTS);
  const rows = ROWS.map(([title, rowsOf, textOf, options]) => {
    const measured = rowsOf(results);
    const cell = (name) => {
      if (!measured[name]) return '–';
      if (name === BASE || options?.isAbsolute) return strong(textOf(measured[name]), name);
      return strong(`${twoDigits(measured[name].ratio.median)} ×`, name);
    };
    return [title, ...names.map(cell)];
  });
  return table(['', ...names.map(marked)], rows);
}

/** What a page pays: this package, a loop that cannot hang, and the SDKs from the least to the most. */
function costs(results) {
  const measures = [
    ['download, brotli', results.download.rows, ({ brotli }) => brotli, kilobytes],
    [
      'from navigation to the first request, slow line',
      results.start.slow?.rows,
      medianOf,
      (ms) => `${short(ms)} ms`,
    ],
    [
      'processor time of a call that is answered at once',
      results.inline.rows,
      medianOf,
      (µs) => `${short(µs)} µs`,
    ],
    ['memory of a wait', last(results.waits.memory.byCount).rows, medianOf, kilobytes],
  ];
  const rows = measures.flatMap(([title, measured, read, show]) => {
    if (!measured?.[BOUNDED]) return [];
    const sdks = Object.keys(measured).filter((name) => CLIENTS[name].isSdk);
    sdks.sort((one, other) => read(measured[one]) - read(measured[other]));
    const cell = (name) => show(read(measured[name]));
    const range = [sdks[0], last(sdks)].map((name) => `${cell(name)} (${name})`).join(' to ');
    return [[title, strong(cell(OURS), OURS), cell(BOUNDED), range]];
  });
  return table(['', 'lemondata-wasm', 'a loop with a time-out', 'SDKs'], rows);
}

/** The cadence. Its peers are rules, not clients. */
const cadenceSummary = ({ steady, burst }) =>
  table(
    ['tasks of 30–120 s, simulated', ...Object.keys(steady.rows)],
    [
      ['polls per task', ...cells(steady.rows, ({ polls }) => polls.toFixed(1))],
      [
        'delay until a result is seen',
        ...cells(steady.rows, ({ delay }) => `${(delay.mean / 1000).toFixed(2)} s`),
      ],
      [
        "peak of a steady fleet's polls over their mean",
        ...cells(steady.rows, ({ peakOverMean }) => twoDigits(peakOverMean)),
      ],
      ['… of tasks that begin at once', ...cells(burst.rows, ({ peakOverMean }) => twoDigits(peakOverMean))],
    ],
  );

const cells = (rows, show) => Object.entries(rows).map(([name, row]) => strong(show(row), name));

const machineOf = ({ machine, versions, date, dates, noise }) => {
  const packages = Object.entries(versions).map(([name, version]) => `\`${name}\` ${version}`);
  return `Measured on ${date}: ${machine.cores} × ${machine.cpu}, ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node}, Chromium ${machine.chromium}, workerd ${machine.workerd}; ${packages.join(', ')}.${noiseNote(noise)}${dateNote(dates, date)}`;
};

/** What the marks behind names say. */
const footnote = Object.values(PROMISES)
  .map(([mark, text]) => `${mark} ${text}`)
  .join('; ');

/** A table of medians and ratios, each with its middle half. */
const spreads = (unit, rows, base = 'the bare loop') =>
  table(
    ['', `median, ${unit}`, 'middle half', `ratio to ${base}`, 'middle half'],
    Object.entries(rows).map(([name, { low, median, high, ratio }]) => [
      strong(marked(name), name),
      short(median),
      `${short(low)}–${short(high)}`,
      strong(twoDigits(ratio.median), name),
      `${twoDigits(ratio.low)}–${twoDigits(ratio.high)}`,
    ]),
  );

/** A table of medians, a column for each number of waits. */
function byCount(title, { byCount: counts, unit }) {
  const names = Object.keys(counts[0].rows);
  return table(
    [
      `${title}, ${unit}`,
      ...counts.map(({ count }) => count.toLocaleString('en')),
      'ratio to the bare loop',
      'middle half',
    ],
    names.map((name) => {
      const { ratio } = last(counts).rows[name];
      const middle = `${twoDigits(ratio.low)}–${twoDigits(ratio.high)}`;
      return [
        strong(marked(name), name),
        ...counts.map(({ rows }) => short(rows[name].median)),
        strong(twoDigits(ratio.median), name),
        ratio.low === ratio.high ? '–' : middle,
      ];
    }),
  );
}

/** The tables of each page, by the names of their markers. */
const COST_TABLES = { cost: costs };
const TABLES = {
  summary: (results) => `${ratios(results)}\n\n${footnote}.`,
  targets: (results) =>
    `${table(
      ['what', 'to reach', 'measured', ''],
      judgeTargets(results).map(({ name, target, measured, isMet }) => [
        name,
        target,
        measured,
        isMet ? 'met' : '**missed**',
      ]),
    )}\n\n${footnote}.`,
  machine: machineOf,
  download: ({ download: { rows } }) =>
    table(
      ['', 'minified, bytes', 'brotli, bytes', 'ratio to the bare loop'],
      Object.entries(rows).map(([name, { raw, brotli, ratio }]) => [
        strong(marked(name), name),
        String(raw),
        strong(String(brotli), name),
        twoDigits(ratio),
      ]),
    ),
  bytes: ({ bytes }) =>
    table(
      ['part', 'bytes', 'share', 'functions'],
      bytes.groups.map(({ name, bytes: size, share, items }) => [
        name,
        String(size),
        `${(share * 100).toFixed(1)} %`,
        String(items),
      ]),
    ),
  functions: ({ bytes }) =>
    table(
      ['function', 'bytes'],
      bytes.largest.map(({ name, bytes: size }) => [`\`${name.replaceAll('|', '\\|')}\``, String(size)]),
    ),
  'start node': ({ start }) => spreads('ms', start.node.rows),
  'start chromium': ({ start }) => spreads('ms', start.chromium.rows),
  'start workerd': ({ start }) => spreads('ms', start.workerd.rows),
  'start slow': ({ start }) => spreads('ms', start.slow.rows),
  inline: ({ inline }) => spreads('µs', inline.rows),
  'waits memory': ({ waits }) => byCount('memory of a wait', waits.memory),
  'waits aged': ({ waits: { aged } }) =>
    table(
      [
        `after ${aged.polls} polls each`,
        `memory of one of ${aged.count.toLocaleString('en')} waits, bytes`,
        'ratio to the bare loop',
      ],
      Object.entries(aged.rows).map(([name, { median, ratio }]) => [
        strong(marked(name), name),
        short(median),
        strong(twoDigits(ratio.median), name),
      ]),
    ),
  'waits polls': ({ waits }) => byCount('processor time of a poll', waits.polls),
  'payload memory': ({ payload }) => spreads('MB', payload.memory.rows),
  'payload time': ({ payload }) => spreads('ms', payload.time.rows),
  linear: ({ payload }) =>
    `Linear memory before the call: ${payload.linear[0]} bytes; after it: ${payload.linear[1]} bytes.`,
  cadence: ({ cadence }) => cadenceSummary(cadence),
  'relay creates': ({ relay }) => spreads('ms', relay.creates.rows, 'a direct call'),
  'relay polls': ({ relay }) => spreads('ms', relay.polls.rows, 'a direct call'),
};

/** The rows of a chart. */
const chartRows = (rows, show) =>
  Object.entries(rows).map(([name, { median, low, high, ratio }]) => ({
    name,
    value: median,
    low,
    high,
    label: `${show(median)} · ${twoDigits(ratio.median)} ×`,
    isOwn: isOwn(name),
  }));

const panel = (title, { rows }, unit) => ({
  title,
  rows: chartRows(rows, (value) => `${short(value)} ${unit}`),
});

const CHARTS = {
  download: ({ download }) =>
    bars('Download for a page', [
      {
        title: 'Download for a page: bundled, minified, brotli',
        rows: Object.entries(download.rows).map(([name, { brotli }]) => ({
          name,
          value: brotli,
          label: kilobytes(brotli),
          isOwn: isOwn(name),
        })),
      },
    ]),
  start: ({ start }) =>
    bars('From import to the first request', [
      panel('From import to the first request: Node', start.node, 'ms'),
      panel('Chromium', start.chromium, 'ms'),
      panel('workerd', start.workerd, 'ms'),
      panel('Chromium on a line of 9 Mbit/s and 40 ms, processor slowed 4 ×', start.slow, 'ms'),
    ]),
  inline: ({ inline }) =>
    bars('One inline call', [panel('One inline call on loopback, processor time', inline, 'µs')]),
  waits: ({ waits }) =>
    bars('10,000 waits at once', [
      panel('10,000 waits at once: memory of each', last(waits.memory.byCount), 'bytes'),
      panel('10,000 waits at once: processor time of a poll', last(waits.polls.byCount), 'µs'),
    ]),
  growth: ({ waits }) =>
    lines('Memory of many waits', {
      x: { label: 'waits at once' },
      y: { label: 'MB' },
      series: Object.keys(waits.memory.byCount[0].rows).map((name) => ({
        name,
        isOwn: isOwn(name),
        points: waits.memory.byCount.map(({ count, rows }) => [count, (count * rows[name].median) / 1e6]),
      })),
    }),
  payload: ({ payload }) =>
    bars('Four pictures of 10 MB', [
      panel('Four pictures of 10 MB as b64_json: peak memory of the process', payload.memory, 'MB'),
      panel('Four pictures of 10 MB as b64_json: time to Blobs', payload.time, 'ms'),
    ]),
  cadence: ({ cadence: { burst } }) =>
    columns(
      'Polls of 10,000 tasks that begin at once, in the first 30 s',
      Object.entries(burst.rows).map(([name, { rate, peakOverMean }]) => ({
        name,
        values: rate,
        label: `peak ${twoDigits(peakOverMean)} × mean`,
        isOwn: isOwn(name),
      })),
      'quarters of a second; each panel has its own scale',
    ),
};

/** Draws the charts of all measured parts. */
export function writeCharts(results) {
  mkdirSync(CHART_FOLDER, { recursive: true });
  for (const [name, draw] of Object.entries(CHARTS)) {
    if (results[name === 'growth' ? 'waits' : name])
      writeFileSync(join(CHART_FOLDER, `${name}.svg`), draw(results));
  }
}

/** The part of the results for tables whose name is not that part. */
const SOURCES = {
  cost: 'payload',
  summary: 'payload',
  targets: 'inline',
  functions: 'bytes',
  linear: 'payload',
};

/** The page with the tables of all measured parts. */
export const fillPage = (page, results) => fill(page, TABLES, results);
export const fillCostPage = (page, results) => fill(page, COST_TABLES, results);

function fill(page, tables, results) {
  for (const [name, make] of Object.entries(tables)) {
    const [part] = name.split(' ');
    if (results[SOURCES[part] ?? part]) page = between(page, `bench: ${name}`, make(results));
  }
  return page;
}

/** Writes the tables into both pages. */
export function writePages(results) {
  writeFileSync(PAGE, fillPage(readFileSync(PAGE, 'utf8'), results));
  writeFileSync(COST_PAGE, fillCostPage(readFileSync(COST_PAGE, 'utf8'), results));
}
