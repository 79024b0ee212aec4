/** Has wasm-bindgen generate the glue: the JavaScript that calls a module and that the module calls. */

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runBeside } from '../lib/run.js';

/**
 * @param {string} tool the path of wasm-bindgen
 * @param {string} crate the path of a module that the compiler made
 * @param {string} folder gets the bound module
 * @returns {Promise<{ glue: string, path: string }>} the glue as a factory, and the path of the bound module
 */
export async function bind(tool, crate, folder) {
  const out = join(folder, 'bindgen');
  rmSync(out, { recursive: true, force: true });
  await runBeside(tool, [
    '--target=module',
    '--no-typescript',
    '--remove-producers-section',
    `--out-dir=${out}`,
    '--out-name=lemondata',
    crate,
  ]);
  const glue = asFactory(readFileSync(join(out, 'lemondata.js'), 'utf8'));
  return { glue, path: join(out, 'lemondata_bg.wasm') };
}

/** The glue begins its work with this line. */
const START = '\nlet wasmInstance = ';

/**
 * Makes a function of the glue, which keeps its state in the scope of a module. Each instance has state of its own
 * then, since a trap leaves both behind. Timers come in as arguments, so that they end with the instance.
 *
 * Three patches, none of them for bytes: imports move out of the function, exports become local, and the start waits
 * for the instance.
 */
export function asFactory(glue) {
  const [code, start] = glue.split(START);
  const isImport = (line) => line.startsWith('import ');
  const lines = code.split('\n');
  const imports = lines.filter((line) => isImport(line) && !line.startsWith('import source '));
  const exported = Array.from(code.matchAll(/^export function (\w+)/gm), ([, name]) => name);
  const body = lines
    .filter((line) => !isImport(line))
    .map((line) => line.replace(/^export (?=function )/, ''))
    .join('\n');
  if (start === undefined || /^(import|export)\b/m.test(body))
    throw new Error('the glue of wasm-bindgen has changed: compare it with scripts/build/bind.js');
  const starts = start.includes('__wbindgen_start') ? 'wasm.__wbindgen_start();' : '';
  return `${imports.join('\n')}
  export default ({ setTimeout, clearTimeout }) => {
    let wasm;
    ${body}
    return {
      imports: __wbg_get_imports(),
      start(exports) {
        wasm = exports;
        ${starts}
        return ${exported.length > 1 ? `{ ${exported} }` : exported};
      },
    };
  };`;
}
