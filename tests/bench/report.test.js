/** What the bench shows: places in pages, plots, and whether a target was met. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bars, columns, lines } from '../../bench/chart.js';
import { between, table } from '../../bench/markers.js';
import { fillPage } from '../../bench/report.js';
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
  const inline = (ratio) => ({ inline: { rows: { 'bare loop': row(1), 'lemondata-wasm': row(ratio) } } });
  assert.equal(judgeTargets(inline(1.05))[0].isMet, true);
  assert.equal(judgeTargets(inline(1.06))[0].isMet, false);

  const sizes = (own, slim) => ({
    download: { rows: { 'lemondata-wasm': { brotli: own }, 'lemondata-wasm/slim': { brotli: slim } } },
  });
  assert.deepEqual(
    judgeTargets(sizes(17_000, 14_001)).map(({ isMet }) => isMet),
    [true, false],
  );

  // ky is no SDK: who is below it need not be below the others.
  const start = {
    rows: { 'lemondata-wasm': row(30), ky: row(50), fal: row(40), replicate: row(20), openai: row(90) },
  };
  const [{ isMet, measured }] = judgeTargets({ start: { node: start, chromium: start, workerd: start } });
  assert.equal(isMet, false);
  assert.match(measured, /^30.0 ms.*, replicate: 20.0 ms/);
});

test('the page has a place for every table, and gets it filled with numbers', () => {
  const read = (path) => readFileSync(join(root, path), 'utf8');
  const results = JSON.parse(read('bench/results.json'));
  const filled = fillPage(read('docs/performance.md'), results);
  assert.equal(fillPage(filled, results), filled);
  for (const [place, , content] of filled.matchAll(/<!-- (bench.*) -->([\s\S]*?)<!-- \/\1 -->/g)) {
    assert.match(content, /\d/, place);
    assert.doesNotMatch(content, /undefined|NaN|\[object/, place);
  }
});
