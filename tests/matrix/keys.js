/** What becomes of a key in the environment, for the cells that show it. */

import assert from 'node:assert/strict';

/** The variables of the cells: those of both addresses. */
export const KEYS = { LEMONDATA_API_KEY: 'sk-lemon', TOKENLAB_API_KEY: 'sk-token' };

/** The key goes to its own address. */
export const checkRead = (result) =>
  assert.deepEqual(result, ['https://api.lemondata.cc', `Bearer ${KEYS.LEMONDATA_API_KEY}`]);

/** Nothing was read: the call is refused as one without a key. */
export const checkMissing = (result) =>
  assert.match(result, /^apiKey is missing or empty: is LEMONDATA_API_KEY set\?/);
