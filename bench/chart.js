/** Draws charts as SVG, without a library: they follow the reader's light or dark theme, and change only with the numbers. */

const WIDTH = 720;
const HEAD = 34;

const BARS = { labels: 160, values: 140, height: 16, row: 24 };
const COLUMNS = { labels: 190, height: 44, row: 60 };
const LINES = { left: 60, right: 170, top: HEAD + 24, bottom: 300 };
/** Labels at the ends of lines stand at least this far apart. */
const LABEL_HEIGHT = 15;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; }
  .soft { fill: #59636e; }
  .own { fill: #bf8700; }
  .other { fill: #8c959f; }
  .spread { stroke: #1f2328; stroke-width: 1.5; }
  .axis { stroke: #d1d9e0; }
  .line { fill: none; stroke: #8c959f; stroke-width: 1.5; stroke-linejoin: round; }
  .line.own { fill: none; stroke: #bf8700; stroke-width: 2.5; }
  .line.c0 { stroke: #0969da; } .line.c1 { stroke: #bc4c00; } .line.c2 { stroke: #1a7f37; } .line.c3 { stroke: #8250df; }
  text.c0 { fill: #0969da; } text.c1 { fill: #bc4c00; } text.c2 { fill: #1a7f37; } text.c3 { fill: #8250df; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .soft { fill: #9198a1; }
    .own { fill: #e3b341; }
    .other { fill: #656c76; }
    .spread { stroke: #f0f6fc; }
    .axis { stroke: #3d444d; }
    .line { stroke: #656c76; }
    .line.own { stroke: #e3b341; }
    .line.c0 { stroke: #4493f8; } .line.c1 { stroke: #f0883e; } .line.c2 { stroke: #3fb950; } .line.c3 { stroke: #ab7df8; }
    text.c0 { fill: #4493f8; } text.c1 { fill: #f0883e; } text.c2 { fill: #3fb950; } text.c3 { fill: #ab7df8; }
  }`;

/** @param {string} text */
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/**
 * A coordinate in tenths of a pixel: more would only be noise in a diff.
 *
 * @param {number} value
 */
const at = (value) => String(Math.round(value * 10) / 10);

/**
 * @param {number} x
 * @param {number} y
 * @param {string} content
 * @param {string} [kind]
 * @param {'start' | 'middle' | 'end'} [anchor]
 */
const text = (x, y, content, kind = '', anchor = 'start') =>
  `<text x="${at(x)}" y="${at(y)}"${kind && ` class="${kind}"`}${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}>${escaped(content)}</text>`;

/**
 * @param {string} kind
 * @param {[number, number]} from
 * @param {[number, number]} to
 */
const line = (kind, [x1, y1], [x2, y2]) =>
  `<line class="${kind}" x1="${at(x1)}" x2="${at(x2)}" y1="${at(y1)}" y2="${at(y2)}"/>`;

/**
 * @param {string} title
 * @param {number} height
 * @param {string[]} body
 */
const svg = (title, height, body) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${at(height)}" role="img" aria-label="${escaped(title)}">
<style>${STYLE}
</style>
${body.join('\n')}
</svg>
`;

/**
 * Bars, one below the other, with a line from quartile to quartile where there are some.
 *
 * @param {string} title
 * @param {{ title: string, rows: { name: string, value: number, low?: number, high?: number, label: string, isOwn?: boolean }[] }[]} panels
 *   each has a scale of its own
 */
export function bars(title, panels) {
  const { labels, values, height, row } = BARS;
  const body = [];
  let y = 4;
  for (const panel of panels) {
    body.push(text(0, y + 16, panel.title, 'title'));
    y += HEAD;
    const most = Math.max(...panel.rows.map(({ value, high = 0 }) => Math.max(value, high)));
    /** @param {number} value */
    const scale = (value) => (value / most) * (WIDTH - labels - values);
    for (const { name, value, low = 0, high = 0, label, isOwn } of panel.rows) {
      const middle = y + height / 2;
      body.push(text(labels - 8, middle + 4.5, name, isOwn ? 'title' : '', 'end'));
      const width = Math.max(1, scale(value));
      body.push(
        `<rect class="${isOwn ? 'own' : 'other'}" x="${labels}" y="${at(y)}" width="${at(width)}" height="${height}" rx="2"/>`,
      );
      if (scale(high) - scale(low) >= 1) {
        body.push(line('spread', [labels + scale(low), middle], [labels + scale(high), middle]));
      }
      body.push(text(labels + Math.max(width, scale(high)) + 8, middle + 4.5, label, 'soft'));
      y += row;
    }
    y += 12;
  }
  return svg(title, y, body);
}

/**
 * @typedef {object} Axis
 * @property {string} label
 * @property {number} [from] default 0
 * @property {number} [to] default the largest value; larger ones are drawn there
 * @property {number[]} [ticks]
 * @property {boolean} [log] whether the axis is logarithmic; then `from` is above 0
 * @property {(value: number) => string} [text] writes a tick
 */

/**
 * Lines over a common axis, with their names at their ends.
 *
 * @param {string} title
 * @param {object} chart
 * @param {Axis} chart.x by default with a tick for each value
 * @param {Axis} chart.y by default with ticks at both ends and in the middle
 * @param {{ name: string, points: [number, number][], isOwn?: boolean }[]} chart.series where `isOwn` is left out,
 *   each line has its own colour
 */
export function lines(title, { x, y, series }) {
  const { left, top, bottom } = LINES;
  const right = WIDTH - LINES.right;
  const points = series.flatMap((each) => each.points);
  const across = scaleOf(
    x,
    points.map(([value]) => value),
    [left, right],
  );
  const up = scaleOf(
    y,
    points.map(([, value]) => value),
    [bottom, top],
  );
  const body = [text(0, 20, title, 'title'), text(0, top - 12, y.label, 'soft')];
  for (const tick of y.ticks ?? [0, up.most / 2, up.most]) {
    const level = up.place(tick);
    body.push(line('axis', [left, level], [right, level]));
    body.push(text(left - 8, level + 4.5, (y.text ?? rounded)(tick), 'soft', 'end'));
  }
  for (const tick of x.ticks ?? new Set(points.map(([value]) => value))) {
    body.push(text(across.place(tick), bottom + 20, (x.text ?? rounded)(tick), 'soft', 'middle'));
  }
  body.push(text(right, bottom + 40, x.label, 'soft', 'end'));
  const labels = [];
  for (const [index, { name, points, isOwn }] of series.entries()) {
    const path = points.map(([px, py]) => `${at(across.place(px))},${at(up.place(py))}`);
    const hue = `c${index}`;
    body.push(
      `<polyline class="line${isOwn ? ' own' : isOwn === undefined ? ` ${hue}` : ''}" points="${path.join(' ')}"/>`,
    );
    const [, last] = points[points.length - 1];
    labels.push({
      name,
      kind: isOwn ? 'title' : isOwn === undefined ? hue : 'soft',
      y: up.place(last) + 4.5,
    });
  }
  spreadOut(labels, bottom + 4.5);
  for (const label of labels) body.push(text(right + 8, label.y, label.name, label.kind));
  return svg(title, bottom + 48, body);
}

/**
 * Where the values of an axis lie, in pixels.
 *
 * @param {Axis} axis
 * @param {number[]} values
 * @param {[number, number]} ends
 */
function scaleOf({ from = 0, to, log }, values, [start, end]) {
  const most = to ?? Math.max(...values);
  /** @param {number} value */
  const share = (value) =>
    log ? Math.log(value / from) / Math.log(most / from) : (value - from) / (most - from);
  /** @param {number} value */
  const place = (value) => start + share(Math.min(Math.max(value, from), most)) * (end - start);
  return { most, place };
}

/**
 * Moves labels that would cover each other apart, and those that would then lie below the chart up again.
 *
 * @param {{ y: number }[]} labels
 * @param {number} lowest
 */
function spreadOut(labels, lowest) {
  labels.sort((a, b) => a.y - b.y);
  for (let index = 1; index < labels.length; index += 1) {
    labels[index].y = Math.max(labels[index].y, labels[index - 1].y + LABEL_HEIGHT);
  }
  let limit = lowest;
  for (const label of labels.toReversed()) {
    label.y = Math.min(label.y, limit);
    limit = label.y - LABEL_HEIGHT;
  }
}

/**
 * Columns over time, a panel for each row with a scale of its own.
 *
 * @param {string} title
 * @param {{ name: string, values: number[], label: string, isOwn?: boolean }[]} rows
 * @param {string} axis the unit of time
 */
export function columns(title, rows, axis) {
  const { labels, height, row } = COLUMNS;
  const body = [text(0, 20, title, 'title')];
  let y = HEAD;
  for (const { name, values, label, isOwn } of rows) {
    const most = Math.max(...values);
    const width = (WIDTH - labels) / values.length;
    const base = y + height;
    const shapes = values.map((value, index) => {
      const tall = at((value / most) * height);
      return value === 0 ? '' : `M${at(labels + index * width)} ${at(base)}v-${tall}h${at(width)}v${tall}z`;
    });
    body.push(text(labels - 12, y + 20, name, isOwn ? 'title' : '', 'end'));
    body.push(text(labels - 12, y + 38, label, 'soft', 'end'));
    body.push(`<path class="${isOwn ? 'own' : 'other'}" d="${shapes.join('')}"/>`);
    body.push(line('axis', [labels, base], [WIDTH, base]));
    y += row;
  }
  body.push(text(WIDTH, y + 4, axis, 'soft', 'end'));
  return svg(title, y + 12, body);
}

/** @param {number} value */
const rounded = (value) =>
  (value >= 100 ? Math.round(value) : Math.round(value * 10) / 10).toLocaleString('en');
