/**
 * What somebody else's promise comes to, unless that takes too long.
 *
 * @template T
 * @param {number} ms
 * @param {T | Promise<T>} work
 * @param {string} name of what is waited for, for the error
 * @returns {Promise<T>}
 */
export async function within(ms, work, name) {
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
