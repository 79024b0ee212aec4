/** Writes a module as JavaScript, for places that run no WebAssembly. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, runBeside } from '../lib/run.js';
import { enabled } from './shrink.js';

/** What `wasm2js` writes around the code: the import of a module, and the one instance that it exports. */
const CODE = /^import \* as a from 'a';\n(.*)\nvar retasmFunc = asmFunc\(.*$/s;
/** How the glue sees that its view of the memory is old. */
const VIEW = 'cachedUint8ArrayMemory0.byteLength === 0';

/**
 * @param {string} path of a module
 * @returns {Promise<string>} a JavaScript module that stands for a `WebAssembly.Module`: it exports the class of its
 *   instances, each of which has state of its own
 */
export async function toJavaScript(path) {
  const out = `${path}.js`;
  const tool = join(root, 'node_modules', '.bin', 'wasm2js');
  await runBeside(tool, [...enabled, '-Oz', path, `--output=${out}`]);
  const [, code] = readFileSync(out, 'utf8').match(CODE) ?? [];
  if (!code) throw changed('output of wasm2js');
  return `export function Instance(_module, imports) {\n${code}\nreturn { exports: asmFunc(imports) };\n}\n`;
}

/**
 * The glue for a module in JavaScript. The buffer of its memory stays what it is when the memory grows into another,
 * while WebAssembly detaches it.
 *
 * @param {string} glue
 */
export function forJavaScript(glue) {
  if (!glue.includes(VIEW)) throw changed('glue of wasm-bindgen');
  return glue.replaceAll(VIEW, 'cachedUint8ArrayMemory0.buffer !== wasm.memory.buffer');
}

const changed = (text) => new Error(`the ${text} has changed: compare it with scripts/build/javascript.js`);
