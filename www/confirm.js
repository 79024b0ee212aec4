/** Creates that cost more than one usually means to spend are confirmed. */

import { running } from './generation-list.js';
import { askBefore } from './on-demand.js';

/** From this number of pictures on, a press is confirmed. */
const MANY_PICTURES = 5;
/** From this number of running generations on, the new ones included, a press is confirmed. */
const MANY_RUNNING = 5;

/** @typedef {import('lemondata-wasm').ImageRequest} ImageRequest */

/** @param {ImageRequest[]} requests */
export const picturesOf = (requests) => requests.reduce((sum, { n = 1 }) => sum + n, 0);

/**
 * Asks before a large create, or many at once.
 *
 * @param {ImageRequest[]} requests of one press
 * @returns {Promise<boolean>} whether to send them
 */
export async function confirmCreates(requests) {
  const pictures = picturesOf(requests);
  const before = running().length;
  const isLarge = pictures >= MANY_PICTURES;
  const isMany = before + requests.length >= MANY_RUNNING;
  return (!isLarge && !isMany) || Boolean(await askBefore(requests, { pictures, before, isLarge, isMany }));
}
