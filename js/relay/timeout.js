/**
 * The result of a promise that the operator's code made, unless it is late.
 *
 * @template T
 * @param {number} ms
 * @param {T | Promise<T>} work
 * @param {string} name for the error
 * @returns {Promise<T>}
 */
export async function withTimeout(ms, work, name) {
  if (typeof Object(work).then !== 'function') return work;
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} did not settle within ${ms} ms.`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
