/** Measures things side by side: in one run, in turns, so that what slows the machine down slows all of them. */

/**
 * @param {Record<string, () => Promise<unknown>>} subjects
 * @param {{ rounds: number, warmUp: number }} options
 * @returns {Promise<Record<string, number[]>>} the milliseconds of each round, sorted
 */
export async function sideBySide(subjects, { rounds, warmUp }) {
  const names = Object.keys(subjects);
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -warmUp; round < rounds; round += 1) {
    // Nobody always comes first.
    for (let index = 0; index < names.length; index += 1) {
      const name = names[(index + round + warmUp) % names.length];
      const started = performance.now();
      await subjects[name]();
      if (round >= 0) times[name].push(performance.now() - started);
    }
  }
  for (const each of Object.values(times)) each.sort((a, b) => a - b);
  return times;
}

/** The value below which this share of sorted values lies. */
export const quantile = (sorted, share) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

/**
 * Prints the medians, their spread, and the ratio to the first subject.
 *
 * @param {string} title
 * @param {Record<string, number[]>} times
 */
export function printTable(title, times) {
  const [base] = Object.values(times);
  console.log(`\n${title}\n${'  '.padEnd(36)}median ms   middle half      ratio`);
  for (const [name, sorted] of Object.entries(times)) {
    const [low, median, high] = [0.25, 0.5, 0.75].map((share) => quantile(sorted, share));
    const spread = `${low.toFixed(2)}–${high.toFixed(2)}`;
    const ratio = (median / quantile(base, 0.5)).toFixed(2);
    console.log(
      `  ${name.padEnd(34)}${median.toFixed(2).padStart(9)}   ${spread.padEnd(14)}${ratio.padStart(8)}`,
    );
  }
}
