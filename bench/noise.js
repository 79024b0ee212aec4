/** The noise of the machine: how far the measurements of a baseline, which always does the same work, lie apart. */

/** A baseline may spread by this share of its median. Beyond that, the others are not compared with it. */
export const MOST_NOISE = 0.35;

/** @param {number} share */
export const percent = (share) => `${Math.round(share * 100)} %`;

/**
 * The spread of each baseline of a part: its middle half as a share of its median. The first row of a table is its
 * baseline.
 *
 * @param {string} name of the part
 * @param {any} result
 * @returns {Record<string, number>} by the names of the measures
 */
export function noiseIn(name, result) {
  if (typeof result !== 'object' || result === null) return {};
  const { low, median, high } = Object.values(Object(result.rows))[0] ?? {};
  const own = high > low ? { [name]: (high - low) / median } : {};
  const inner = Object.entries(result).map(([key, value]) =>
    key === 'rows' ? {} : noiseIn(/^(\d+|byCount)$/.test(key) ? name : `${name} ${key}`, value),
  );
  return Object.assign(own, ...inner);
}

/** The measures whose baseline spreads too far, in words. */
const tooNoisy = (noise) =>
  Object.entries(noise)
    .filter(([, spread]) => spread > MOST_NOISE)
    .map(([name, spread]) => `${name} (${percent(spread)})`);

/**
 * Keeps what one measure brought, where the machine was quiet enough for it, or by `force`. What a part has from other
 * measures stays.
 *
 * @param {Record<string, any>} results
 * @param {string} part
 * @param {Record<string, any>} brought fields of the part
 * @param {{ force: boolean, date: string }} options
 * @returns {string[]} the measures that were refused, in words
 */
export function keep(results, part, brought, { force, date }) {
  const noise = noiseIn(part, brought);
  const refused = force ? [] : tooNoisy(noise);
  if (refused.length > 0) return refused;
  results[part] = { ...results[part], ...brought };
  results.noise = { ...results.noise, [part]: { ...results.noise?.[part], ...noise } };
  const tables = Object.keys(brought).filter(
    (field) => Object(brought[field]).rows ?? Object(brought[field]).byCount,
  );
  const fields = 'rows' in brought ? [part] : tables.map((field) => `${part} ${field}`);
  results.dates = { ...results.dates, ...Object.fromEntries(fields.map((field) => [field, date])) };
  return [];
}

/** One sentence for a page: which tables are older than the last run. */
export function dateNote(dates = {}, date) {
  const old = Object.keys(dates).filter((name) => dates[name] !== date);
  return old.length === 0
    ? ''
    : ` From an earlier run: ${old.map((name) => `${name} (${dates[name]})`).join(', ')}.`;
}

/** One sentence for a page: the largest spread, and whether it is too large. */
export function noiseNote(noise = {}) {
  const all = Object.assign({}, ...Object.values(noise));
  const [name, most] = Object.entries(all).reduce((one, other) => (other[1] > one[1] ? other : one), ['', 0]);
  if (!name) return '';
  const note = ` The middle half of a baseline spread by at most ${percent(most)} of its median (${name}).`;
  const loud = tooNoisy(all);
  if (loud.length === 0) return note;
  return `${note} **The machine was busy:** read with care ${loud.join(', ')}.`;
}
