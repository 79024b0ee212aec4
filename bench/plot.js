/** Draws plots as SVG, without a library: they follow the reader's light or dark theme, and change only with the numbers. */

const WIDTH = 720;
const LABELS = 160;
const VALUES = 140;
const BAR = 16;
const ROW = 24;
const HEAD = 34;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; }
  .soft { fill: #59636e; }
  .own { fill: #bf8700; }
  .other { fill: #8c959f; }
  .spread { stroke: #1f2328; stroke-width: 1.5; }
  .line { fill: none; stroke: #8c959f; stroke-width: 1.5; }
  .line.own { stroke: #bf8700; stroke-width: 2.5; fill: none; }
  .axis { stroke: #d1d9e0; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .soft { fill: #9198a1; }
    .own { fill: #e3b341; }
    .other { fill: #656c76; }
    .spread { stroke: #f0f6fc; }
    .line { stroke: #656c76; }
    .line.own { stroke: #e3b341; }
    .axis { stroke: #3d444d; }
  }`;

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
/** Coordinates in tenths of a pixel: more would only be noise in a diff. */
const at = (number) => String(Math.round(number * 10) / 10);

const text = (x, y, content, kind = '', anchor = 'start') =>
  `<text x="${at(x)}" y="${at(y)}"${kind && ` class="${kind}"`}${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}>${escaped(content)}</text>`;

function svg(title, height, body) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${at(height)}" role="img" aria-label="${escaped(title)}">
<style>${STYLE}
</style>
${body.join('\n')}
</svg>
`;
}

/**
 * Bars, one below the other, with a line from quartile to quartile where there are some.
 *
 * @param {string} title
 * @param {{ title: string, rows: { name: string, value: number, low?: number, high?: number, label: string, isOwn?: boolean }[] }[]} panels
 *   each has a scale of its own
 */
export function bars(title, panels) {
  const body = [];
  let y = 4;
  for (const panel of panels) {
    body.push(text(0, y + 16, panel.title, 'title'));
    y += HEAD;
    const most = Math.max(...panel.rows.map(({ value, high }) => Math.max(value, high ?? 0)));
    const scale = (value) => (value / most) * (WIDTH - LABELS - VALUES);
    for (const { name, value, low, high, label, isOwn } of panel.rows) {
      const middle = y + BAR / 2;
      body.push(text(LABELS - 8, middle + 4.5, name, isOwn ? 'title' : '', 'end'));
      const width = Math.max(1, scale(value));
      body.push(
        `<rect class="${isOwn ? 'own' : 'other'}" x="${LABELS}" y="${at(y)}" width="${at(width)}" height="${BAR}" rx="2"/>`,
      );
      if (low !== undefined && scale(high) - scale(low) >= 1) {
        const [from, to] = [low, high].map((end) => at(LABELS + scale(end)));
        body.push(`<line class="spread" x1="${from}" x2="${to}" y1="${at(middle)}" y2="${at(middle)}"/>`);
      }
      body.push(text(LABELS + Math.max(width, scale(high ?? 0)) + 8, middle + 4.5, label, 'soft'));
      y += ROW;
    }
    y += 12;
  }
  return svg(title, y, body);
}

/**
 * Lines over a common axis, with their names at their ends.
 *
 * @param {string} title
 * @param {{ x: string, y: string, series: { name: string, points: [number, number][], isOwn?: boolean }[] }} plot
 */
export function lines(title, { x, y, series }) {
  const [top, bottom, left, right] = [HEAD + 24, 300, 60, WIDTH - 170];
  const all = series.flatMap(({ points }) => points);
  const [mostX, mostY] = [0, 1].map((axis) => Math.max(...all.map((point) => point[axis])));
  const place = ([px, py]) => [left + (px / mostX) * (right - left), bottom - (py / mostY) * (bottom - top)];
  const body = [text(0, 20, title, 'title'), text(0, top - 12, y, 'soft')];
  for (const share of [0, 0.5, 1]) {
    const [, level] = place([0, mostY * share]);
    body.push(`<line class="axis" x1="${left}" x2="${right}" y1="${at(level)}" y2="${at(level)}"/>`);
    body.push(text(left - 8, level + 4.5, label(mostY * share), 'soft', 'end'));
  }
  for (const value of [...new Set(all.map(([px]) => px))]) {
    body.push(text(place([value, 0])[0], bottom + 20, label(value), 'soft', 'middle'));
  }
  body.push(text(right, bottom + 40, x, 'soft', 'end'));
  const ends = series
    .map((each) => ({ ...each, end: place(each.points.at(-1)) }))
    .sort((a, b) => a.end[1] - b.end[1]);
  let free = 0;
  for (const { name, points, isOwn, end } of ends) {
    const path = points.map((point) => place(point).map(at).join(',')).join(' ');
    body.push(`<polyline class="line${isOwn ? ' own' : ''}" points="${path}"/>`);
    // Names that would cover each other move apart.
    const level = Math.max(end[1] + 4.5, free);
    free = level + 15;
    body.push(text(end[0] + 8, level, name, isOwn ? 'title' : 'soft'));
  }
  return svg(title, bottom + 48, body);
}

/**
 * Columns over time, a panel for each row with a scale of its own.
 *
 * @param {string} title
 * @param {{ name: string, values: number[], label: string, isOwn?: boolean }[]} rows
 * @param {string} axis what the time is
 */
export function columns(title, rows, axis) {
  const [left, height] = [190, 44];
  const body = [text(0, 20, title, 'title')];
  let y = HEAD;
  for (const { name, values, label: note, isOwn } of rows) {
    const most = Math.max(...values);
    const step = (WIDTH - left) / values.length;
    const shapes = values.map((value, index) => {
      const tall = (value / most) * height;
      return tall === 0
        ? ''
        : `M${at(left + index * step)} ${at(y + height)}v-${at(tall)}h${at(step)}v${at(tall)}z`;
    });
    body.push(text(left - 12, y + 20, name, isOwn ? 'title' : '', 'end'));
    body.push(text(left - 12, y + 38, note, 'soft', 'end'));
    body.push(`<path class="${isOwn ? 'own' : 'other'}" d="${shapes.join('')}"/>`);
    body.push(
      `<line class="axis" x1="${left}" x2="${WIDTH}" y1="${at(y + height)}" y2="${at(y + height)}"/>`,
    );
    y += height + 16;
  }
  body.push(text(WIDTH, y + 4, axis, 'soft', 'end'));
  return svg(title, y + 12, body);
}

/** A number on an axis. */
const label = (value) =>
  value >= 100 ? Math.round(value).toLocaleString('en') : String(Math.round(value * 10) / 10);
