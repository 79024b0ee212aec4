/** The steps of the build: what it keeps, and what it makes of the glue. */

import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { asFactory } from '../../scripts/build/bind.js';
import { cachedModule } from '../../scripts/build/cache.js';
import { root } from '../../scripts/lib/run.js';

describe('a module', () => {
  let place;
  let builds;
  beforeEach(() => {
    builds = 0;
    place = mkdtempSync(join(tmpdir(), 'lemondata-cache-'));
    for (const name of ['src', 'js', 'Cargo.toml', 'Cargo.lock', 'rust-toolchain.toml', 'package-lock.json'])
      cpSync(join(root, name), join(place, name), { recursive: true });
    cpSync(join(root, 'scripts', 'build'), join(place, 'scripts', 'build'), { recursive: true });
  });
  afterEach(() => rmSync(place, { recursive: true, force: true }));

  const module = { glue: 'glue', wasm: Buffer.from([0, 97, 115, 255]), names: { run: 'a' } };
  const get = (name = 'client', meanwhile = () => {}) => {
    const build = async () => {
      builds += 1;
      meanwhile();
      return module;
    };
    return cachedModule(name, build, place);
  };
  const change = (file) => appendFileSync(join(place, file), '\n');

  test('is built once, and comes back as it was', async () => {
    await get();
    const { glue, wasm, names } = await get();
    assert.deepEqual({ glue, wasm, names }, module);
    assert.equal(builds, 1);
  });

  test('is not that of another name', async () => {
    await get('client');
    await get('hub');
    assert.equal(builds, 2);
  });

  for (const file of ['src/lib.rs', 'Cargo.lock', 'scripts/build/compile.js', 'rust-toolchain.toml']) {
    test(`is built again after a change of ${file}`, async () => {
      await get();
      change(file);
      await get();
      assert.equal(builds, 2);
    });
  }

  test('is built again for another optimiser', async () => {
    await get();
    const path = join(place, 'package-lock.json');
    const lock = JSON.parse(readFileSync(path, 'utf8'));
    lock.packages['node_modules/binaryen'].integrity = 'another';
    writeFileSync(path, JSON.stringify(lock));
    await get();
    assert.equal(builds, 2);
  });

  test('stays after a change of JavaScript', async () => {
    await get();
    change('js/client/client.js');
    change('scripts/build/bundle.js');
    await get();
    assert.equal(builds, 1);
  });

  test('is not kept when its sources change while it is built', async () => {
    await get('client', () => change('src/lib.rs'));
    await get();
    assert.equal(builds, 2);
  });

  test('is built again when what was kept is cut off', async () => {
    await get();
    writeFileSync(join(place, 'target', 'modules', 'client.json'), '{"hash":"');
    await get();
    assert.equal(builds, 2);
  });
});

describe('the glue', () => {
  const HEAD = 'import source wasmModule from "./lemondata_bg.wasm";\n';
  const BODY = `
let heap = [];
export function add(value) {
    heap.push(value);
    return wasm.add(heap.length);
}
function __wbg_get_imports() {
    const import0 = { __wbg_sleep: (ms) => setTimeout(ms) };
    return {
        __proto__: null,
        "./lemondata_bg.js": import0,
    };
}
`;
  const START = `
let wasmInstance = new WebAssembly.Instance(wasmModule, __wbg_get_imports());
let wasm = wasmInstance.exports;
`;
  const load = async (glue) =>
    (await import(`data:text/javascript,${encodeURIComponent(asFactory(glue))}`)).default;

  test('has state of its own for each instance, and the timers that it is given', async () => {
    const create = await load(HEAD + BODY + START);
    const start = (timer) => {
      const { imports, start } = create({ setTimeout: timer });
      return { imports, add: start({ add: (count) => count }) };
    };
    const first = start((ms) => `first ${ms}`);
    const second = start((ms) => `second ${ms}`);
    assert.deepEqual([first.add('a'), first.add('b'), second.add('c')], [1, 2, 1]);
    assert.equal(first.imports['./lemondata_bg.js'].__wbg_sleep(3), 'first 3');
    assert.equal(second.imports['./lemondata_bg.js'].__wbg_sleep(4), 'second 4');
  });

  test('runs what the module starts with', async () => {
    const create = await load(`${HEAD}${BODY}${START}wasm.__wbindgen_start();\n`);
    let starts = 0;
    create({}).start({ __wbindgen_start: () => (starts += 1) });
    assert.equal(starts, 1);
  });

  for (const [what, glue] of [
    ['does not start an instance', HEAD + BODY],
    ['exports a class', `${HEAD}${BODY}export class Call {}\n${START}`],
  ]) {
    test(`is refused where it ${what}`, () => {
      assert.throws(() => asFactory(glue), /the glue of wasm-bindgen has changed/);
    });
  }
});

test('the part of wasm-bindgen that is compiled is of the version of the crate', () => {
  const lock = readFileSync(join(root, 'Cargo.lock'), 'utf8');
  const [, version] = lock.match(/name = "wasm-bindgen"\nversion = "(.+)"/);
  const manifest = readFileSync(join(root, 'scripts/build/bindgen/Cargo.toml'), 'utf8');
  assert.match(manifest, new RegExp(`wasm-bindgen-cli-support = "=${version}"`));
});
