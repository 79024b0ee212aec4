/** Random numbers from a seed, so that a run can be repeated. */

/**
 * A generator of its own for each list of seeds: one part of a run draws the same numbers whatever the others do.
 *
 * @param {...number} seeds
 */
export function randomFrom(...seeds) {
  let state = 0x811c9dc5;
  for (const seed of seeds) state = mix(state ^ seed);

  /** From 0 up to 1. */
  function next() {
    state = (state + 0x9e3779b9) | 0;
    return (mix(state) >>> 0) / 2 ** 32;
  }
  const below = (limit) => Math.floor(next() * limit);
  return {
    next,
    below,
    between: (min, max) => min + below(max - min + 1),
    chance: (probability) => next() < probability,
    pick: (list) => list[below(list.length)],

    /** One of the names of an object, each as likely as its weight says. */
    weighted(weights) {
      let rest = next() * Object.values(weights).reduce((sum, weight) => sum + weight, 0);
      for (const [name, weight] of Object.entries(weights)) {
        rest -= weight;
        if (rest < 0) return name;
      }
      return Object.keys(weights)[0];
    },
  };
}

/** Spreads the bits of an integer: the last step of MurmurHash3. */
function mix(number) {
  let hash = number;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
