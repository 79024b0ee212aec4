/**
 * Builds `dist/`: the module, its glue and the entries. `npm run build`.
 *
 * With `--traps`, it builds `target/traps` instead: the same, with a module that traps where a test asks for it.
 */

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { build } from 'esbuild';
import { writeDeclarations } from './lib/declarations.js';
import { cachedModule } from './lib/module-cache.js';
import { toText } from './lib/module-text.js';
import { root, run, step } from './lib/run.js';
import { ensureRust, ensureWasmBindgen } from './lib/setup.js';

const TARGET = 'wasm32-unknown-unknown';
/** What every engine of the last years has; `wasm-opt` knows one of them by another name. */
const FEATURES = ['bulk-memory', 'mutable-globals', 'nontrapping-fptoint', 'sign-ext'];
const dist = join(root, 'dist');
const traps = join(root, 'target', 'traps');
const work = join(root, 'target', 'dist');

/**
 * The smallest flags that work: the standard library is built along, for size, and a panic becomes a bare
 * trap. Both are unstable in name, so the compiler is pinned (`rust-toolchain.toml`).
 */
export function compile(features) {
  step('compile the crate');
  run(
    'cargo',
    [
      'build',
      '--release',
      '--lib',
      '--locked',
      `--features=${features}`,
      `--target=${TARGET}`,
      `--target-dir=${work}`,
      '-Zbuild-std=std,panic_abort',
      '-Zbuild-std-features=optimize_for_size',
    ],
    {
      env: {
        RUSTC_BOOTSTRAP: '1',
        RUSTFLAGS: [
          '-Zunstable-options',
          '-Cpanic=immediate-abort',
          '-Zlocation-detail=none',
          // Reference types cost more in the module than they save in the glue.
          '-Ctarget-cpu=mvp',
          `-Ctarget-feature=${FEATURES.map((name) => `+${name}`)}`,
          '-Cllvm-args=-inline-threshold=0',
          // Our stacks are shallow, and a megabyte of it for each instance is much in an edge worker.
          '-Clink-arg=-zstack-size=65536',
          `--remap-path-prefix=${root}=.`,
        ].join(' '),
      },
    },
  );
  return join(work, TARGET, 'release', 'lemondata_wasm.wasm');
}

/**
 * Generates the glue and shrinks the module. What a page downloads is worth more of it than a `hub`, which an edge
 * worker holds. With `keepNames`, the functions keep their names, for those who want to know where the bytes are.
 */
export function bind(wasm, wasmBindgen, { isHub = false, keepNames = false } = {}) {
  step('generate the glue, optimise the module');
  const out = join(work, 'bindgen');
  rmSync(out, { recursive: true, force: true });
  run(wasmBindgen, [
    '--target=module',
    '--no-typescript',
    '--remove-producers-section',
    `--out-dir=${out}`,
    '--out-name=lemondata',
    wasm,
  ]);
  const { glue, exported } = bare(readFileSync(join(out, 'lemondata.js'), 'utf8'), isHub);
  const optimise = (passes, from, to, tool = 'wasm-opt') => {
    const features = FEATURES.map((name) => `--enable-${name.replace('fptoint', 'float-to-int')}`);
    const path = join(root, 'node_modules', '.bin', tool);
    const names = keepNames && tool === 'wasm-opt' ? ['-g'] : [];
    return run(path, [...features, ...names, ...passes, join(out, from), '-o', join(out, to)], {
      quiet: true,
    });
  };
  // What the glue does not call need not be there.
  const reached = new Set(Array.from(glue.matchAll(/\bwasm\.(\w+)/g), ([, name]) => name));
  const graph = Array.from(reached, (name) => ({ name, export: name, root: true }));
  writeFileSync(join(out, 'graph.json'), JSON.stringify(graph));
  const metadce = ['--debuginfo', `--graph-file=${join(out, 'graph.json')}`];
  optimise(metadce, 'lemondata_bg.wasm', 'reached.wasm', 'wasm-metadce');
  optimise([], 'reached.wasm', 'reached.wat', 'wasm-dis');
  const reachable = readFileSync(join(out, 'reached.wat'), 'utf8');
  writeFileSync(join(out, 'called.wat'), isHub ? reachable : prune(reachable));
  optimise(
    [
      // Measured: control flow that is taken apart and built anew is shorter, and what lies on either side of these
      // sizes compresses less well.
      '--flatten',
      '--rereloop',
      '-Oz',
      '--converge',
      '--one-caller-inline-max-function-size=300',
      '--always-inline-max-function-size=5',
      // The stack begins at address 0, and nothing of it reaches down there.
      '--low-memory-unused',
      '--strip-target-features',
      '--strip-producers',
    ],
    'called.wat',
    'small.wasm',
  );
  const renamed = optimise(['--minify-imports-and-exports-and-modules'], 'small.wasm', 'lemondata.wasm');
  return {
    glue: asFactory(glue, exported, JSON.parse(renamed)),
    wasm: readFileSync(join(out, 'lemondata.wasm')),
  };
}

/** What wasm-bindgen and the standard library would say in a trap. */
const UNSAID = [
  '<redacted>',
  'closure invoked recursively or after being dropped',
  'FnOnce called more than once',
  'called `Result::unwrap_throw()` on an `Err` value',
];

/**
 * Takes functions out of the table, and so out of the module, that nothing calls through it: what wasm-bindgen only
 * reads, the entries of closures, which are exports, and a way to run tasks that is not ours.
 */
function prune(wat) {
  const [elements] = wat.match(/\(elem \$.*\)/);
  const isUnused = (name) =>
    /^\$"(Closure|Ref)\(|::convert::closures::_::invoke::|::futures::jspi::/.test(name);
  const [table, ...names] = elements.match(/\$("[^"]*"|[^\s)]+)/g);
  const used = names.filter((name) => !isUnused(name));
  if (used.length === names.length)
    throw new Error('the table of functions has changed: it has no unused one');
  // The others keep their place.
  const kept = names.map((name) => (isUnused(name) ? used[0] : name));
  wat = wat.replace(elements, () => `(elem ${table} (i32.const 1) ${kept.join(' ')})`);

  // What wasm-bindgen would throw is a bug of ours, like a panic: a trap, without a text.
  for (const text of UNSAID) {
    if (!wat.includes(text)) throw new Error(`the module has changed: it lacks the text ${text}`);
    wat = wat.replaceAll(text, '\\00'.repeat(text.length));
  }
  const throws = / \(import \S+ "\w*wbindgen_throw\w*" (\(func .*)\)\)\n/;
  const [imported, head] = wat.match(throws);
  return `${wat.replace(imported, '').trimEnd().slice(0, -1)} ${head} (unreachable))\n)\n`;
}

/** A function that replaces a part of the glue, which has to be there. */
const replacing = (read, write) => (pattern, replacement) => {
  if (!pattern.test(read())) { console.log('missing', pattern); return; }
  write(read().replace(pattern, replacement));
};

/** The glue without its own start, and what it exports. */
function bare(glue, isHub) {
  const replace = replacing(
    () => glue,
    (text) => {
      glue = text;
    },
  );
  replace(/^import source .*\n/m, '');
  replace(/let wasmInstance = [\s\S]*$/, '');
  const exported = [];
  glue = glue.replace(/^export function (\w+)/gm, (_, name) => {
    exported.push(name);
    return `function ${name}`;
  });
  return { glue: isHub ? glue : trim(glue), exported };
}

/** The glue without what is not needed here. */
function trim(glue) {
  const replace = replacing(
    () => glue,
    (text) => {
      glue = text;
    },
  );
  // Closures that nobody owns.
  replace(/const CLOSURE_DTORS = [^;]*;/, '');
  replace(/CLOSURE_DTORS\.unregister\(.*\);/, '');
  replace(/CLOSURE_DTORS\.register\(.*\);/, '');
  // The stack begins at address 0, and nothing of it reaches down there.
  replace(
    /try {\s*const retptr = wasm\.__wbindgen_add_to_stack_pointer\(-16\) >>> 0;\s*(.*)\(retptr, (.*;)\s*} finally {\s*.*\s*}/,
    '$1(0, $2',
  );
  replace(/function\(\) { return handleError\((function .*{[\s\S]*?\n {8}}), arguments\); }/g, '$1');
  replace(/function handleError[\s\S]*?\n}\n/, '');
  // Views are made anew: keeping one, and finding out whether its memory has grown, takes more than it saves.
  replace(/let cachedUint8ArrayMemory0[\s\S]*?\n}\n/, '');
  replace(/\bgetUint8ArrayMemory0\(\)/g, 'new Uint8Array(wasm.memory.buffer)');
  replace(/\w+wbindgen_throw\w+: function[\s\S]*?},\n/, '');
  replace(/cachedTextDecoder\.decode\(\);\n/, '');
  // Only the imports of tests return texts through memory.
  if (!/= getDataViewMemory0\(|getDataViewMemory0\(\)\./.test(glue))
    replace(/let cachedDataViewMemory0[\s\S]*?\n}\n/, '');
  // No address, length or key comes near 2^31, and a flag is 0 or 1.
  replace(/ptr = ptr >>> 0;\n/g, '');
  replace(/ >>> 0\b/g, '');
  replace(/ptr \/ 1/g, 'ptr');
  // A closure may be dropped while it runs. It never runs within itself: nothing enters the module from inside.
  replace(
    /function makeMutClosure[\s\S]*?\n}\n/,
    `function makeMutClosure(a, b, f) {
      let count = 1;
      const unref = () => {
        if (--count === 0) {
          ${glue.match(/wasm\.\w+(?=\(state\.a)/)[0]}(a, b);
          a = 0;
        }
      };
      const real = (...args) => {
        count++;
        try {
          return f(a, b, ...args);
        } finally {
          unref();
        }
      };
      real._wbg_cb_unref = unref;
      return real;
    }
    `,
  );
  // Imports in a shorter spelling, which goes by what a function returns.
  replace(/\n *\/\/ Cast intrinsic.*/g, '');
  replace(
    /function ?(\(.*\)) {\s*const ret = (.*);\s*return (addHeapObject\(ret\)|ret);\s*}/g,
    (_, args, value, end) => `${args} => ${end.replace('ret', value)}`,
  );
  replace(/function ?(\(.*\)) {\n *(.*);\n *}/g, '$1 => { $2; }');
  return glue;
}

/**
 * The glue keeps its state in a module scope. As a function, it starts an instance when it is asked to, and a
 * fresh one with fresh state after a trap. Its globals come in as arguments where the engine keeps account.
 */
function asFactory(glue, exported, renamed) {
  const replace = replacing(
    () => glue,
    (text) => {
      glue = text;
    },
  );

  // Our own files come in two shapes: as named functions, and as modules that are imported whole.
  const named = [];
  const whole = new Map();
  glue = glue.replace(/^import (.*?) from (['"])(\S+)\2;?\n/gm, (_, what, _quote, path) => {
    const file = path.replace(/^.*\/snippets\/[^/]*/, root);
    if (what.startsWith('{')) named.push(`import ${what} from ${JSON.stringify(file)};`);
    else whole.set(path, [`whole${whole.size}`, file]);
    return '';
  });
  if (/^(import|export)\b/m.test(glue))
    throw new Error('the glue of wasm-bindgen has changed: it imports or exports more');
  for (const [name, file] of whole.values()) named.push(`import * as ${name} from ${JSON.stringify(file)};`);

  // The names between the module and its glue become letters in both.
  const entries = [];
  for (const [module, name, letter] of renamed.imports) {
    const own = whole.get(module);
    if (own) entries.push(`${JSON.stringify(letter)}: ${own[0]}.${name}`);
    else replace(new RegExp(`\\b${name}: `), () => `${JSON.stringify(letter)}: `);
  }
  replace(
    /return \{\s*__proto__: null,\s*"\.\/lemondata_bg\.js"[^}]*\};/,
    () => `return { a: { ...import0, ${entries} } };`,
  );
  const starts = renamed.exports.some(([name]) => name === '__wbindgen_start');
  let start = `wasm = exports; ${starts ? 'wasm.__wbindgen_start();' : ''} return ${exported.length > 1 ? `{ ${exported} }` : exported};`;
  for (const [name, letter] of renamed.exports) {
    const use = new RegExp(`\\bwasm\\.${name}\\b`, 'g');
    glue = glue.replace(use, `wasm[${JSON.stringify(letter)}]`);
    start = start.replace(use, `wasm[${JSON.stringify(letter)}]`);
  }
  return `${named.join('\n')}
  export default ({ setTimeout, clearTimeout }) => {
    let wasm;
    ${glue}
    return {
      imports: __wbg_get_imports(),
      start(exports) { ${start} },
    };
  };`;
}

/**
 * Names of fields and methods that the files of a client use among themselves: they become letters. No value of a
 * caller or of the platform has a field of such a name that we use, and no text names one.
 */
const INTERNAL =
  /^(_wbg_cb_unref|isStream|informed|rest|secret|calls|broken|abandon|announce|authorize|giveUp|isAborted|settle|listen|callbacks|listener|imports|take|update|publish|leave|streams|durationMs_)$/;

/**
 * @param {{ glue: string, wasm: Buffer }} client
 * @param {{ glue: string, wasm: Buffer } | undefined} hub the module of `lemondata-wasm/cloudflare`, where that is built
 * @param {string} folder
 */
export async function bundle(client, hub, folder) {
  step('bundle the entries');
  // A build that fails leaves the last good one in place.
  const fresh = join(work, 'package');
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh);
  writeFileSync(join(fresh, 'lemondata.wasm'), client.wasm);
  if (hub) writeFileSync(join(fresh, 'hub.wasm'), hub.wasm);
  const made = {
    name: 'lemondata',
    setup(build) {
      build.onResolve({ filter: /^lemondata:/ }, ({ path }) => ({ path, namespace: 'lemondata' }));
      build.onResolve({ filter: /\.wasm(\?module)?$/ }, ({ path }) => ({ path, external: true }));
      build.onLoad({ filter: /:(hub-)?glue$/, namespace: 'lemondata' }, ({ path }) => ({
        contents: path === 'lemondata:glue' ? client.glue : hub.glue,
        resolveDir: root,
      }));
      build.onLoad({ filter: /:wasm$/, namespace: 'lemondata' }, () => ({
        contents: JSON.stringify(toText(client.wasm)),
        loader: 'json',
      }));
    },
  };
  const entries = [
    { entry: 'entries/index', format: 'esm', outfile: 'index.js' },
    { entry: 'entries/index', format: 'cjs', outfile: 'index.cjs' },
    { entry: 'entries/workerd', format: 'esm', outfile: 'workerd.js' },
    { entry: 'entries/edge-light', format: 'esm', outfile: 'edge-light.js' },
    { entry: 'entries/slim', format: 'esm', outfile: 'slim.js' },
    { entry: 'entries/slim', format: 'cjs', outfile: 'slim.cjs' },
    { entry: 'relay/index', format: 'esm', outfile: 'relay.js' },
    { entry: 'relay/index', format: 'cjs', outfile: 'relay.cjs' },
    ...(hub ? [{ entry: 'cloudflare/index', format: 'esm', outfile: 'cloudflare.js' }] : []),
  ];
  for (const { entry, format, outfile } of entries) {
    await build({
      entryPoints: [join(root, 'js', `${entry}.js`)],
      bundle: true,
      format: /** @type {import('esbuild').Format} */ (format),
      minify: true,
      // An uncaught error prints the line that threw it: a line without end would fill the terminal.
      lineLimit: 160,
      target: 'es2022',
      platform: 'neutral',
      outfile: join(fresh, outfile),
      plugins: [made],
      ...(entry.startsWith('entries/') && { mangleProps: INTERNAL }),
      // The relay is a client itself, of the kind that its runtime gets.
      external: ['lemondata-wasm', 'cloudflare:*'],
      logLevel: 'warning',
    });
  }
  writeDeclarations(fresh);
  rmSync(folder, { recursive: true, force: true });
  renameSync(fresh, folder);
}

/** What a page downloads: `generate` and `waitForTask`, bundled and minified by the user's own tool. */
export async function measure() {
  /** `generate` and `waitForTask` of an entry, in the hands of a user's own bundler. */
  const bundled = async (names, entry) => {
    const contents = `export { ${names} } from './dist/${entry}';`;
    const stdin = { contents, resolveDir: root };
    const { outputFiles } = await build({ stdin, bundle: true, minify: true, format: 'esm', write: false });
    return Buffer.from(outputFiles[0].contents);
  };
  const sizes = {};
  const add = (name, bytes) => {
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    sizes[name] = { raw: bytes.length, brotli: brotliCompressSync(bytes, { params }).length };
  };
  const wasm = readFileSync(join(dist, 'lemondata.wasm'));
  add('lemondata.wasm', wasm);
  add('hub.wasm', readFileSync(join(dist, 'hub.wasm')));
  add('workerd.js', readFileSync(join(dist, 'workerd.js')));
  add('index.js', readFileSync(join(dist, 'index.js')));
  add('generate + waitForTask, bundled', await bundled('generate, waitForTask', 'index.js'));
  add('the same of slim', await bundled('init, generate, waitForTask', 'slim.js'));
  for (const unit of ['raw', 'brotli']) sizes['the same of slim'][unit] += sizes['lemondata.wasm'][unit];
  return sizes;
}

if (import.meta.filename === process.argv[1]) {
  const make = (features, options) =>
    cachedModule(features || 'client', () => {
      ensureRust();
      return bind(compile(features), ensureWasmBindgen(), options);
    });
  if (process.argv.includes('--traps')) {
    await bundle(make('traps'), undefined, traps);
    process.exit();
  }
  await bundle(make(''), make('hub', { isHub: true }), dist);
  console.log('\n  bytes                              raw   brotli');
  for (const [name, { raw, brotli }] of Object.entries(await measure())) {
    console.log(`  ${name.padEnd(31)}${String(raw).padStart(7)}${String(brotli).padStart(9)}`);
  }
}
