/** Gets four pictures of 10 MB as Blobs with one client, and reports time and memory, in a process of its own. */

import { API_KEY } from '../key.js';

const [file, url] = process.argv.slice(2);

/** The linear memories of all modules, to see whether they grow. */
const memories = [];
const { Instance } = WebAssembly;
WebAssembly.Instance = class extends Instance {
  /** @param {ConstructorParameters<typeof Instance>} args */
  constructor(...args) {
    super(...args);
    // The decoder of the module has no imports, and is gone once the module is there.
    if (!args[1]) return;
    memories.push(...Object.values(this.exports).filter((value) => value instanceof WebAssembly.Memory));
  }
};
const linear = () => memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0);

const { connect } = await import(file);
const client = connect(url, API_KEY);
// Started and warm, like a process that has made pictures before.
await client.inline();
const linearBefore = linear();
const cpu = process.cpuUsage();
const began = performance.now();
const blobs = await client.blobs();
const ms = performance.now() - began;
const { user, system } = process.cpuUsage(cpu);
process.send({
  ms,
  cpuMs: (user + system) / 1e3,
  // The peak of the process, in kilobytes.
  peakMb: process.resourceUsage().maxRSS / 1e3,
  sizes: blobs.map((blob) => blob.size),
  linear: [linearBefore, linear()],
});
