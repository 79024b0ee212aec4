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
export const tooNoisy = (noise) =>
  Object.entries(noise)
    .filter(([, spread]) => spread > MOST_NOISE)
    .map(([name, spread]) => `${name} (${percent(spread)})`);

/** The part of the results of each run that the machine was quiet enough for, or all of it by `force`. */
export function keep(results, part, result, force) {
  const noise = noiseIn(part, result);
  const refused = force ? [] : tooNoisy(noise);
  if (refused.length === 0)
    Object.assign(results, { [part]: result, noise: { ...results.noise, [part]: noise } });
  return refused;
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
