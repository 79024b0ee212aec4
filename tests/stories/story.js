/** One story of an edit or a create, in whichever runtime loads this file. */

import { LemonData } from 'lemondata-wasm';

/** The bytes that the module has for its data. */
let memoryBytes;

/** Starts the module, and keeps its memory at hand. */
async function startModule(client) {
  if (memoryBytes) return;
  const { Instance } = WebAssembly;
  WebAssembly.Instance = class extends Instance {
    constructor(...args) {
      super(...args);
      const memory = Object.values(this.exports).find((value) => value instanceof WebAssembly.Memory);
      memoryBytes = () => memory.buffer.byteLength;
    }
  };
  await client.waitForTask({ status: 'completed', data: [] });
  WebAssembly.Instance = Instance;
}

/** The bytes of a picture, as far as its type can be seen: they begin like a PNG, and go on like no other of the size. */
export function bytesOf(size) {
  const bytes = new Uint8Array(size);
  for (let index = 0; index < size; index += 1) bytes[index] = (index * 31 + (index >> 8) + size) & 255;
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return bytes;
}

const fileOf = ({ name, size }) => {
  const options = { type: 'image/png' };
  return name ? new File([bytesOf(size)], name, options) : new Blob([bytesOf(size)], options);
};

/** A request with its pictures, which cannot travel as JSON. */
function requestOf({ request, images, mask }) {
  const files = images?.map(fileOf);
  return {
    ...request,
    ...(files && { image: files.length === 1 ? files[0] : files }),
    ...(mask && { mask: fileOf(mask) }),
  };
}

/**
 * @param {object} story plain JSON: see `stories.js`
 * @param {object} options those of the client
 * @param {string} arrived a URL that answers once the service has the request
 * @returns {Promise<object>} plain JSON: what the caller gets, and what it could read on the way
 */
export async function tell({ story, options, arrived }) {
  const { call, isAborted, isResumed } = story;
  const seen = [];
  const sent = [];
  const tasks = [];
  const reason = new Error('enough');
  const controller = new AbortController();
  const all = {
    ...options,
    dangerouslyAllowBrowser: true,
    maxRetries: 0,
    pollInterval: { min: 5, max: 10 },
    onTask: (task) => tasks.push(task),
    async fetch(url, init) {
      sent.push([...init.headers]);
      if (isAborted) fetch(arrived).then(() => controller.abort(reason));
      const response = await fetch(url, init);
      seen.push([...response.headers], await response.clone().text());
      return response;
    },
  };
  const client = new LemonData(all);
  await startModule(client);
  const before = memoryBytes();
  const ending = {};
  try {
    const generation = await client[call](requestOf(story), { signal: controller.signal });
    ending.first = generation.status;
    // A process of another day has nothing but the stored reference.
    const stored = JSON.stringify(generation);
    const last = isResumed ? await new LemonData(all).waitForTask(JSON.parse(stored)) : generation;
    Object.assign(ending, { last: last.status, url: last.data?.[0]?.url });
  } catch (error) {
    const { kind, outcome, code, message, supportedParameters } = error;
    Object.assign(ending, { isReason: error === reason, kind, outcome, code, supportedParameters });
    seen.push(message, error.stack, JSON.stringify(error));
  }
  return { ...ending, tasks, sent, seen: JSON.stringify(seen), grewBy: memoryBytes() - before };
}
