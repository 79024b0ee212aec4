/** Work in lanes: each takes the next item as soon as it is free. */

/**
 * @template T
 * @param {number} count of the lanes
 * @param {Iterable<T>} items begin in this order
 * @param {(item: T) => Promise<unknown>} work
 */
export async function inLanes(count, items, work) {
  const queue = [...items].values();
  const lane = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: count }, lane));
}
