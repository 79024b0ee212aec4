/** What the bench shows: places in pages, plots, and whether a target was met. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bars, columns, lines } from '../../bench/chart.js';
import { marked } from '../../bench/clients/index.js';
import { between, table } from '../../bench/markers.js';
import { dateNote, keep, noiseIn, noiseNote } from '../../bench/noise.js';
import { fillCostPage, fillPage } from '../../bench/report.js';
import { judgeTargets } from '../../bench/targets.js';
import { root } from '../../scripts/lib/run.js';

test('a table is written between its comments, again and again', () => {
  const page = 'before\n<!-- x -->\nold\n<!-- /x -->\nbehind\n';
  const written = between(page, 'x', 'new\n');
  assert.equal(written, 'before\n<!-- x -->\nnew\n<!-- /x -->\nbehind\n');
  assert.equal(between(written, 'x', 'new'), written);
  assert.equal(between(page, 'x', '$& $1'), 'before\n<!-- x -->\n$& $1\n<!-- /x -->\nbehind\n');
});

test('a page without its place, or with two, is refused', () => {
  for (const page of [
    '',
    '<!-- x -->',
    '<!-- /x --><!-- x -->',
    '<!-- x --><!-- /x --><!-- x --><!-- /x -->',
  ]) {
    assert.throws(() => between(page, 'x', 'new'), /needs one <!-- x -->/, page);
  }
});

test('a table has a cell for each column', () => {
  assert.equal(table(['a', 'b'], [['1', '2']]), '| a | b |\n| --- | --- |\n| 1 | 2 |');
});

/** Every element is closed, in order; an attribute or a text holds no raw character of markup. */
function assertWellFormed(svg) {
  const open = [];
  for (const [, close, name, self] of svg.matchAll(/<(\/?)(\w+)[^<>]*?(\/?)>/g)) {
    if (close) assert.equal(open.pop(), name);
    else if (!self) open.push(name);
  }
  assert.deepEqual(open, []);
  assert.doesNotMatch(svg, /&(?!amp;|lt;|quot;)|NaN|undefined|Infinity/);
}

const PLOTS = {
  bars: () =>
    bars('a <b> & "c"', [
      {
        title: 'one',
        rows: [
          { name: 'x & y', value: 2, low: 1, high: 4, label: '2 ms', isOwn: true },
          { name: 'none', value: 0, low: 0, high: 0, label: '0 ms' },
        ],
      },
    ]),
  lines: () =>
    lines('growth', {
      x: { label: 'waits' },
      y: { label: 'MB' },
      series: [
        {
          name: 'own',
          points: [
            [1000, 5],
            [10000, 50],
          ],
          isOwn: true,
        },
        {
          name: 'other',
          points: [
            [1000, 6],
            [10000, 50.1],
          ],
        },
      ],
    }),
  columns: () =>
    columns('rates', [{ name: 'own', values: [0, 2, 1], label: 'peak 2', isOwn: true }], 'seconds'),
};

test('plots are well-formed, have a dark theme, and follow from the numbers alone', () => {
  for (const [name, draw] of Object.entries(PLOTS)) {
    const svg = draw();
    assertWellFormed(svg);
    assert.match(svg, /prefers-color-scheme: dark/, name);
    assert.match(svg, /class="(line )?own"/, name);
    assert.equal(draw(), svg, name);
  }
});

test('a bar is as long as its value, with a line from quartile to quartile', () => {
  const svg = PLOTS.bars();
  // The longest value is a quartile of 4, which takes all of the 420 pixels.
  assert.match(svg, /<rect class="own" x="160" y="\d+" width="210"/);
  assert.match(svg, /<line class="spread" x1="265" x2="580"/);
  assert.equal(svg.match(/class="spread"/g).length, 1, 'none where there is no spread');
});

test('names at the ends of lines do not cover each other', () => {
  const ends = [...PLOTS.lines().matchAll(/<text x="558" y="([\d.]+)"/g)].map(([, y]) => Number(y));
  assert.equal(ends.length, 2);
  assert.ok(Math.abs(ends[0] - ends[1]) >= 15, String(ends));
});

test('an axis may be logarithmic, and a value beyond it is drawn at its end', () => {
  const svg = lines('delays', {
    x: { label: 'load' },
    y: { label: 's', from: 0.1, to: 10, ticks: [0.1, 1, 10], log: true, text: (value) => `${value} s` },
    series: ['one', 'two'].map((name) => ({
      name,
      points: [
        [0, 1],
        [4, 0],
        [8, 99],
        [10, 0.1],
      ],
    })),
  });
  assertWellFormed(svg);
  assert.match(svg, /<polyline class="line c0" points="60,179 256,300 452,58 550,300"/);
  assert.match(svg, /<polyline class="line c1"/);
  assert.match(svg, />10 s</);
  const labels = [...svg.matchAll(/<text x="558" y="([\d.]+)" class="c\d"/g)].map(([, y]) => Number(y));
  assert.deepEqual(labels, [289.5, 304.5], 'no name lies below the chart');
});

test('a target is met at its limit, and missed behind it', () => {
  const row = (median, ratio = median) => ({ median, ratio: { median: ratio } });
  const bounded = (ratio) => {
    const rows = { 'lemondata-wasm': row(30), openai: row(20) };
    return judgeTargets({ inline: { rows, bounded: row(484, ratio) } });
  };
  assert.deepEqual(
    bounded(1.05).map(({ isMet }) => isMet),
    [true, false],
  );
  assert.equal(bounded(1.06)[0].isMet, false);
  assert.match(bounded(1.06)[0].target, /a signal and a time-out/);

  const sizes = (own, slim) => ({
    download: { rows: { 'lemondata-wasm': { brotli: own }, 'lemondata-wasm/slim': { brotli: slim } } },
  });
  assert.deepEqual(
    judgeTargets(sizes(16_500, 14_001)).map(({ isMet }) => isMet),
    [true, false],
  );

  const waits = (bytes) => {
    const byCount = [3_000, 10_000].map((count) => ({
      count,
      rows: { 'lemondata-wasm': row(bytes), openai: row(9_000) },
    }));
    const aged = { polls: 5, rows: { 'lemondata-wasm': row(bytes) } };
    return judgeTargets({ waits: { memory: { byCount }, aged, polls: { byCount } } });
  };
  const met = (bytes) =>
    waits(bytes)
      .filter(({ name }) => name.startsWith('memory of one') || name.includes('after 5 polls'))
      .map(({ isMet }) => isMet);
  assert.deepEqual(met(2_500), [true, true]);
  assert.deepEqual(met(2_501), [false, false]);

  const relay = (ratio) => {
    const rows = { 'through a bare proxy': row(3, 1.3), 'through the relay': row(4, ratio) };
    return judgeTargets({ relay: { creates: { rows }, polls: { rows } } });
  };
  assert.deepEqual(
    relay(1.35).map(({ isMet }) => isMet),
    [true, true],
  );
  assert.equal(relay(1.36)[1].isMet, false);
  assert.equal(relay(1.36)[1].measured, '1.36 ×; a bare proxy: 1.30 ×', 'the limit stands beside it');

  // ky is no SDK: who is below it need not be below the others.
  const start = {
    rows: { 'lemondata-wasm': row(30), ky: row(50), fal: row(40), replicate: row(20), openai: row(90) },
  };
  const judged = judgeTargets({ start: { node: start, chromium: start, workerd: start, slow: start } });
  assert.deepEqual(
    judged.map(({ isMet }) => isMet),
    [false, false, false, false],
  );
  assert.match(judged[0].measured, /^30.0 ms.*, replicate¹²: 20.0 ms/, 'what it lacks is marked');
  assert.match(judged[3].name, /slow line/);
  const limited = { rows: { ...start.rows, 'idle module': row(25) } };
  const [one, ...others] = judgeTargets({ start: { slow: limited } });
  assert.deepEqual([one.isMet, others], [false, []], 'the limit is no peer');
  assert.match(one.measured, /; the limit, idle module³: 25\.00 ×$/);
});

test('a client that lacks a promise has its mark wherever it is compared', () => {
  assert.deepEqual(['bare loop', 'bare loop + time-out', 'fal', 'openai', 'lemondata-wasm'].map(marked), [
    'bare loop¹²',
    'bare loop + time-out',
    'fal¹',
    'openai',
    'lemondata-wasm',
  ]);
  const page = readFileSync(join(root, 'docs', 'performance.md'), 'utf8');
  const results = JSON.parse(readFileSync(join(root, 'bench', 'results.json'), 'utf8'));
  for (const place of ['summary', 'targets']) {
    const [, content] = fillPage(page, results).split(`<!-- bench: ${place} -->`);
    assert.match(
      content.split(`<!-- /bench: ${place} -->`)[0],
      /\n\n¹ no time-out.*; ² no abort.*\.\n$/,
      place,
    );
  }
});

test('a page costs what was measured, beside the least and the most of the SDKs', () => {
  const row = (median) => ({ median, brotli: median * 1000, ratio: { median } });
  const rows = Object.fromEntries(
    ['lemondata-wasm', 'bare loop + time-out', 'ky', 'fal', 'openai', 'replicate'].map((name, index) => [
      name,
      row([20, 1, 0.5, 18, 30, 6][index]),
    ]),
  );
  const results = {
    download: { rows },
    start: { slow: { rows } },
    inline: { rows: { 'lemondata-wasm': row(1) } },
    waits: { memory: { byCount: [{ rows: {} }, { rows }] } },
    payload: {},
  };
  const page = fillCostPage('<!-- bench: cost -->\n<!-- /bench: cost -->', results);
  assert.match(
    page,
    /\| download, brotli \| \*\*20.0 KB\*\* \| 1.0 KB \| 6.0 KB \(replicate\) to 30.0 KB \(openai\) \|/,
  );
  assert.match(page, /slow line \| \*\*20.0 ms\*\* \| 1.00 ms \| 6.00 ms \(replicate\)/);
  assert.doesNotMatch(page, /processor time/, 'without the loop there is nothing to compare');
});

test('a measure whose baseline spreads too far is refused alone, and its former results stay', () => {
  const rows = (high) => ({
    unit: 'ms',
    rows: { 'bare loop': { low: 90, median: 100, high }, ours: { low: 1, median: 9, high: 99 } },
  });
  const results = {};
  const first = { force: false, date: '2026-11-28' };
  for (const measure of ['node', 'slow']) keep(results, 'start', { [measure]: rows(110) }, first);
  const known = structuredClone(results);
  const second = { force: false, date: '2026-11-29' };
  assert.deepEqual(keep(results, 'start', { slow: rows(126) }, second), ['start slow (36 %)']);
  assert.deepEqual(results, known);
  assert.equal(
    noiseNote(results.noise),
    ' The middle half of a baseline spread by at most 20 % of its median (start node).',
  );

  assert.deepEqual(keep(results, 'start', { node: rows(125) }, second), [], 'at the limit');
  assert.deepEqual(results, {
    start: { node: rows(125), slow: rows(110) },
    noise: { start: { 'start node': 0.35, 'start slow': 0.2 } },
    dates: { 'start node': '2026-11-29', 'start slow': '2026-11-28' },
  });
  assert.equal(dateNote(results.dates, '2026-11-29'), ' From an earlier run: start slow (2026-11-28).');

  assert.deepEqual(keep(results, 'start', { slow: rows(140) }, { ...second, force: true }), [], 'by force');
  assert.deepEqual(results.start.slow, rows(140));
  assert.match(
    noiseNote(results.noise),
    /\*\*The machine was busy:\*\* read with care start slow \(50 %\)\.$/,
  );
  assert.equal(dateNote(results.dates, '2026-11-29'), '');
});

test('what a measure brings beside its tables is kept, and has no date', () => {
  const results = { waits: { aged: { polls: 5 } } };
  const memory = { byCount: [{ count: 3_000, rows: {} }] };
  keep(results, 'waits', { counts: [3_000], memory }, { force: false, date: '2026-11-29' });
  assert.deepEqual(results.waits, { aged: { polls: 5 }, counts: [3_000], memory });
  assert.deepEqual(results.dates, { 'waits memory': '2026-11-29' });
  keep(results, 'inline', { unit: 'µs', rows: {} }, { force: false, date: '2026-11-29' });
  assert.equal(results.dates.inline, '2026-11-29');
});

test('noise is that of each baseline at any depth, and of no value without a spread', () => {
  const row = (low, median, high) => ({ low, median, high });
  const waits = {
    memory: { byCount: [{ count: 3_000, rows: { base: row(5, 5, 5) } }] },
    polls: { byCount: [{ count: 3_000, rows: { base: row(9, 10, 11), ours: row(1, 10, 99) } }] },
  };
  assert.deepEqual(noiseIn('waits', waits), { 'waits polls': 0.2 });
  assert.equal(noiseNote({}), '');
  assert.equal(noiseNote(undefined), '');
});

for (const [file, fill] of Object.entries({ 'performance.md': fillPage, 'cost.md': fillCostPage })) {
  test(`${file} has a place for every table, and gets it filled with numbers`, () => {
    const read = (path) => readFileSync(join(root, path), 'utf8');
    const results = JSON.parse(read('bench/results.json'));
    const filled = fill(read(`docs/${file}`), results);
    assert.equal(fill(filled, results), filled);
    for (const [place, , content] of filled.matchAll(/<!-- (bench.*) -->([\s\S]*?)<!-- \/\1 -->/g)) {
      assert.match(content, /\d/, place);
      assert.doesNotMatch(content, /undefined|NaN|\[object/, place);
    }
  });
}

/** Where a target is argued that is missed: by the beginning of its row, a page and the head of a paragraph. */
const ARGUMENTS = [
  [/^download/, 'limits.md', 'Bytes'],
  [/first request/, 'limits.md', 'Start'],
  [/processor time/, 'limits.md', 'Processor time'],
  [/^memory of/, 'limits.md', 'Memory of a wait'],
  [/begin at once$/, 'limits.md', 'A burst'],
  [/^the relay's overhead/, 'relay-time.md', 'The limit'],
];

test('a target that is missed is argued', () => {
  const docs = join(root, 'docs');
  const page = readFileSync(join(docs, 'performance.md'), 'utf8');
  const missed = Array.from(page.matchAll(/^\| ([^|]+) \|.*\| \*\*missed\*\* \|$/gm), ([, what]) => what);
  assert.ok(missed.length > 0);
  for (const what of missed) {
    const found = ARGUMENTS.find(([pattern]) => pattern.test(what));
    assert.ok(found, `nothing argues “${what}”`);
    const [, file, head] = found;
    const text = readFileSync(join(docs, 'decisions', file), 'utf8');
    assert.match(
      text,
      new RegExp(`^\\*\\*${head}\\.\\*\\* .`, 'm'),
      `${file} argues “${what}” under ${head}`,
    );
  }
});
