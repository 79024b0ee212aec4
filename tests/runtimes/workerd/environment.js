/** A worker that leaves its key to the environment. */

import { generate } from 'lemondata-wasm';
import { destination } from './destination.js';

export default {
  async fetch() {
    const isSet = globalThis.process?.env?.LEMONDATA_API_KEY !== undefined;
    return Response.json({ isSet, result: await destination(generate) });
  },
};
