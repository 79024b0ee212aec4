/**
 * The limit of the start: a client that decodes, compiles and instantiates the module of this package, makes no use of it,
 * and sends the bare loop's request. No client that starts this module before its first request can be faster.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDecoder, toText } from '../scripts/build/module-text.js';
import { root } from '../scripts/lib/run.js';
import { bundle, readWasm } from './bundle.js';
import { clientFile, LIMIT } from './clients/index.js';

/** The imports of a module as the text of an object whose functions do nothing. */
function stubs(module) {
  const imports = WebAssembly.Module.imports(module);
  const fields = [...new Set(imports.map((entry) => entry.module))].map((from) => {
    const names = imports.filter((entry) => entry.module === from).map(({ name }) => JSON.stringify(name));
    return `${JSON.stringify(from)}: { ${names.map((name) => `${name}() {}`)} }`;
  });
  return `{ ${fields} }`;
}

/** The source of the client. An edge worker imports its module, which the platform has compiled. */
async function source(target) {
  const bytes = readWasm();
  const decoder = await makeDecoder();
  const compiled = {
    page: `import { compile } from './js/client/decode.js';
      const module = () => compile(${JSON.stringify(decoder)}, ${JSON.stringify(toText(decoder, bytes))});`,
    worker: `import wasm from './lemondata.wasm';
      const module = () => wasm;`,
  };
  return `import { connect as connectLoop } from './bench/clients/bare.js';
    ${compiled[target]}
    export const connect = (...values) => ({
      inline() {
        new WebAssembly.Instance(module(), ${stubs(new WebAssembly.Module(bytes))});
        return connectLoop(...values).inline();
      },
    });`;
}

/** Writes the files of the client, which hold the module as it is now. */
export async function writeLimit() {
  mkdirSync(join(root, 'target', 'bench'), { recursive: true });
  for (const target of /** @type {const} */ (['page', 'worker']))
    writeFileSync(clientFile(LIMIT, target), await bundle(await source(target), target));
}
