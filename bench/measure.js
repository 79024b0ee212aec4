/** Measures subjects side by side: in one run and in turns, so that load on the machine affects all of them. */

/** Fewer rounds have no middle half. */
export const FEWEST_ROUNDS = 5;

/**
 * @typedef {object} Rounds
 * @property {number} rounds
 * @property {number} [warmUp] the rounds before, which do not count
 * @property {number} [seconds] once they are over and the fewest rounds are done, no further round begins
 */

/**
 * @param {Record<string, () => Promise<number>>} subjects what measures each of them once
 * @param {Rounds} options
 * @returns {Promise<Record<string, number[]>>} what came out, in the order of the rounds
 */
export async function inTurns(subjects, { rounds, warmUp = 0, seconds = Number.POSITIVE_INFINITY }) {
  const names = Object.keys(subjects);
  const values = Object.fromEntries(names.map((name) => [name, []]));
  const started = performance.now();
  for (let round = -warmUp; round < rounds; round += 1) {
    if (round >= FEWEST_ROUNDS && performance.now() - started > seconds * 1000) break;
    // Each subject comes first in turn.
    for (let index = 0; index < names.length; index += 1) {
      const name = names[(index + round + warmUp) % names.length];
      const value = await subjects[name]();
      if (round >= 0) values[name].push(value);
    }
  }
  return values;
}

/**
 * @param {Record<string, () => Promise<unknown>>} subjects
 * @param {Rounds} options
 * @returns {Promise<Record<string, number[]>>} the milliseconds of each round, in their order
 */
export function sideBySide(subjects, options) {
  const timed = (subject) => async () => {
    const started = performance.now();
    await subject();
    return performance.now() - started;
  };
  return inTurns(
    Object.fromEntries(Object.entries(subjects).map(([name, subject]) => [name, timed(subject)])),
    options,
  );
}

/** The value below which this share of sorted values lies. */
export const quantile = (sorted, share) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

/**
 * @typedef {{ low: number, median: number, high: number }} Spread the median, and the quartiles around it
 * @param {number[]} values in any order
 * @returns {Spread}
 */
export function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, median, high] = [0.25, 0.5, 0.75].map((share) => quantile(sorted, share));
  return { low, median, high };
}

/**
 * The spread of each subject, and of its ratio to one of them. A ratio is taken within each round, whose
 * measurements lie close together in time, so that a machine which slows down does not blur it.
 *
 * @param {Record<string, number[]>} values as `inTurns` returns them
 * @param {string} base
 * @returns {Record<string, Spread & { ratio: Spread }>}
 */
export function compare(values, base) {
  const entries = Object.entries(values).map(([name, each]) => {
    const ratio = spread(each.map((value, round) => value / values[base][round]));
    return [name, { ...spread(each), ratio }];
  });
  return Object.fromEntries(entries);
}

/** A number with its significant digits. */
export function short(value) {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 3));
}

/** Bytes in words. */
export const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} KB`;

/**
 * Prints the medians, their spread, and the ratio to the base.
 *
 * @param {string} title
 * @param {string} unit
 * @param {Record<string, Spread & { ratio: Spread }>} rows
 */
export function printTable(title, unit, rows) {
  console.log(`\n${title}\n${''.padEnd(30)}${`median ${unit}`.padStart(14)}   middle half        ratio`);
  for (const [name, { low, median, high, ratio }] of Object.entries(rows)) {
    const middle = `${short(low)}–${short(high)}`.padEnd(16);
    const ratios = `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)})`;
    console.log(`  ${name.padEnd(28)}${short(median).padStart(14)}   ${middle}${ratios.padStart(8)}`);
  }
}
