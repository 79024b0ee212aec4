/** Line charts as SVG that suit a light and a dark page. */

const WIDTH = 760;
const HEIGHT = 300;
const LEFT = 64;
const RIGHT = 130;
const TOP = 34;
const BOTTOM = 46;

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; font-size: 14px; }
  .quiet { fill: #59636e; }
  .grid { stroke: #d1d9e0; stroke-width: 1; }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
  .c0 { stroke: #0969da; fill: #0969da; } .c1 { stroke: #bc4c00; fill: #bc4c00; }
  .c2 { stroke: #1a7f37; fill: #1a7f37; } .c3 { stroke: #8250df; fill: #8250df; }
  .line, .dash { fill: none; } .dash { stroke-width: 1.5; stroke-dasharray: 5 4; }
  text.c0, text.c1, text.c2, text.c3 { stroke: none; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; } .quiet { fill: #9198a1; } .grid { stroke: #3d444d; }
    .c0 { stroke: #4493f8; fill: #4493f8; } .c1 { stroke: #f0883e; fill: #f0883e; }
    .c2 { stroke: #3fb950; fill: #3fb950; } .c3 { stroke: #ab7df8; fill: #ab7df8; }
    .line, .dash { fill: none; }
  }`;

const escaped = (text) => String(text).replace(/[&<>]/g, (char) => `&#${char.charCodeAt(0)};`);

/** Where a value lies between two ends, from 0 to 1. */
const part = (value, { from, to, log }) =>
  log ? Math.log(Math.max(value, from) / from) / Math.log(to / from) : (value - from) / (to - from);

/**
 * @typedef {{ label: string, from: number, to: number, ticks: number[], log?: boolean, text?: (value: number) => string }} Axis
 * @param {{ title: string, x: Axis, y: Axis, lines: { name: string, points: [number, number][], dashed?: boolean, color?: number }[] }} chart
 * @returns {string}
 */
export function chart({ title, x, y, lines }) {
  const across = (value) => LEFT + part(value, x) * (WIDTH - LEFT - RIGHT);
  const down = (value) => HEIGHT - BOTTOM - part(Math.min(value, y.to), y) * (HEIGHT - TOP - BOTTOM);
  const at = (number) => number.toFixed(1);
  const out = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}\n</style>`,
    `<text class="title" x="8" y="18">${escaped(title)}</text>`,
  ];
  for (const tick of y.ticks) {
    const level = at(down(tick));
    out.push(`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${level}" y2="${level}"/>`);
    out.push(
      `<text class="quiet" x="${LEFT - 8}" y="${level}" dy="4" text-anchor="end">${escaped((y.text ?? String)(tick))}</text>`,
    );
  }
  for (const tick of x.ticks) {
    out.push(
      `<text class="quiet" x="${at(across(tick))}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${escaped((x.text ?? String)(tick))}</text>`,
    );
  }
  out.push(
    `<text class="quiet" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escaped(x.label)}</text>`,
    `<text class="quiet" x="${WIDTH - 8}" y="18" text-anchor="end">${escaped(y.label)}</text>`,
  );
  const labels = [];
  for (const [index, { name, points, dashed, color = index }] of lines.entries()) {
    const path = points.map(([px, py], step) => `${step ? 'L' : 'M'}${at(across(px))} ${at(down(py))}`);
    out.push(`<path class="${dashed ? 'dash' : 'line'} c${color}" d="${path.join('')}"/>`);
    labels.push({ name, color, y: down(points.at(-1)[1]) });
  }
  // Labels stand beside the ends of their lines, as far apart as they need.
  labels.sort((one, other) => one.y - other.y);
  for (const [index, label] of labels.entries()) {
    if (index > 0) label.y = Math.max(label.y, labels[index - 1].y + 15);
  }
  const below = Math.max(labels.at(-1).y - (HEIGHT - BOTTOM), 0);
  for (const label of labels) {
    label.y -= below;
    out.push(
      `<text class="c${label.color}" x="${WIDTH - RIGHT + 8}" y="${at(label.y)}" dy="4">${escaped(label.name)}</text>`,
    );
  }
  return `${out.join('\n')}\n</svg>\n`;
}
