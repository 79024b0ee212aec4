/** What `npm pack` gives, installed in an empty folder. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';
import { PNG } from 'pngjs';
import { measure } from '../../scripts/build/measure.js';
import { root } from '../../scripts/lib/run.js';
import { installPacked } from '../helpers/pack.js';
import { startServer } from '../server/index.js';

let project;
let server;
before(async () => {
  project = installPacked();
  server = await startServer({ taskMs: 20 });
});
after(async () => {
  project.remove();
  await server.close();
});

/** Runs a program in the folder of the project. */
async function node(args, env = {}) {
  const child = spawn(process.execPath, args, { cwd: project.folder, env: { ...process.env, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      output += text;
    });
  }
  const [code] = await once(child, 'close');
  return { code, output };
}

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const sample = (name) =>
  readme.match(new RegExp(`<!-- sample: ${name} -->\\s*\`\`\`\\w*\\n([\\s\\S]*?)\`\`\``))[1];

test('a starter runs in the shells of Windows and macOS', () => {
  for (const name of readdirSync(join(root, 'examples'))) {
    const read = (file) => readFileSync(join(root, 'examples', name, file), 'utf8');
    for (const script of Object.values(JSON.parse(read('package.json')).scripts)) {
      // cmd.exe waits for the end of what stands before a single &, and knows neither ; nor $.
      assert.doesNotMatch(script.replaceAll(' && ', ''), /[&;$]/, `${name}: ${script}`);
    }
    for (const [line] of read('README.md').matchAll(/^ {4}.*$/gm)) {
      // zsh takes a comment for arguments. PowerShell writes files in UTF-16, cmd.exe the quotes of a text with it.
      assert.doesNotMatch(line, / [#>]/, `${name}: ${line}`);
    }
  }
});

test('installs beside any React: the hooks alone need version 18', () => {
  const manifest = join(project.folder, 'node_modules/lemondata-wasm/package.json');
  const { peerDependencies, peerDependenciesMeta } = JSON.parse(readFileSync(manifest, 'utf8'));
  // npm refuses an optional peer of another version, too.
  assert.deepEqual(peerDependencies, { react: '*' });
  assert.deepEqual(peerDependenciesMeta, { react: { optional: true } });
});

test('holds exactly the intended files', () => {
  const isPage = (file) => /^docs\/.*\.(?:md|svg)$/.test(file) || file.startsWith('examples/');
  const others = project.files.filter((file) => !isPage(file));
  assert.deepEqual(others, [
    'AGENTS.md',
    'CHANGELOG.md',
    'LICENSE-APACHE',
    'LICENSE-MIT',
    'README.md',
    'THIRD-PARTY.md',
    'ai-sdk/package.json',
    'cloudflare/package.json',
    'dist/ai-sdk.cjs',
    'dist/ai-sdk.d.cts',
    'dist/ai-sdk.d.ts',
    'dist/ai-sdk.js',
    'dist/cli.js',
    'dist/cloudflare.d.ts',
    'dist/cloudflare.js',
    'dist/edge-light.js',
    'dist/generations.cjs',
    'dist/generations.d.cts',
    'dist/generations.d.ts',
    'dist/generations.js',
    'dist/hub.wasm',
    'dist/index.cjs',
    'dist/index.d.cts',
    'dist/index.d.ts',
    'dist/index.js',
    'dist/javascript.cjs',
    'dist/javascript.js',
    'dist/lemondata.wasm',
    'dist/react-server.js',
    'dist/react.cjs',
    'dist/react.d.cts',
    'dist/react.d.ts',
    'dist/react.js',
    'dist/relay.cjs',
    'dist/relay.d.cts',
    'dist/relay.d.ts',
    'dist/relay.js',
    'dist/slim.cjs',
    'dist/slim.d.cts',
    'dist/slim.d.ts',
    'dist/slim.js',
    'dist/telemetry.cjs',
    'dist/telemetry.d.cts',
    'dist/telemetry.d.ts',
    'dist/telemetry.js',
    'dist/testing.cjs',
    'dist/testing.d.cts',
    'dist/testing.d.ts',
    'dist/testing.js',
    'dist/workerd.js',
    'generations/package.json',
    'javascript/package.json',
    'llms.txt',
    'package.json',
    'react/package.json',
    'relay/package.json',
    'slim/package.json',
    'telemetry/package.json',
    'testing/package.json',
  ]);
});

test('runs the Node sample of the README', async () => {
  writeFileSync(join(project.folder, 'sample.mjs'), sample('node'));
  const env = { LEMONDATA_API_KEY: server.apiKey, LEMONDATA_BASE_URL: server.url };
  const { code, output } = await node(['sample.mjs'], env);
  assert.equal(code, 0, output);
  assert.match(output, /^completed\b|lemon\.png: \d+ bytes\n$/m);
  const picture = PNG.sync.read(readFileSync(join(project.folder, 'lemon.png')));
  assert.deepEqual([picture.width, picture.height], [1024, 1024]);
  assert.equal(server.counts.creates, 1);
});

test('is there for import and for require, and importing does nothing', async () => {
  const watch = `
    const seen = [];
    for (const [object, name] of [[WebAssembly, 'compile'], [WebAssembly, 'instantiate'], [WebAssembly, 'Module'],
      [WebAssembly, 'Instance'], [globalThis, 'fetch'], [globalThis, 'setTimeout'], [globalThis, 'queueMicrotask']]) {
      const original = object[name];
      object[name] = function (...args) { seen.push(name); return Reflect.apply(original, this, args); };
    }
    const names = (api) => Object.keys(api).filter((name) => !['default', 'module.exports'].includes(name)).sort().join();
  `;
  const esm = `${watch} const api = await import('lemondata-wasm'); console.log(names(api), seen.length);`;
  const cjs = `${watch} const api = require('lemondata-wasm'); console.log(names(api), seen.length);`;
  const [imported, required] = await Promise.all([
    node(['--input-type=module', '-e', esm]),
    node(['--input-type=commonjs', '-e', cjs]),
  ]);
  assert.equal(imported.output, required.output);
  assert.match(
    imported.output,
    /LemonData,.*generate,generateAndWait,getTask,listModels,toBlob,waitForTask 0\n$/,
  );
});

test('leaves out of a bundle what that does not use', async () => {
  const bundled = async (names) => {
    const contents = `export { ${names} } from 'lemondata-wasm';`;
    const stdin = { contents, resolveDir: project.folder };
    const { outputFiles } = await build({ stdin, bundle: true, minify: true, format: 'esm', write: false });
    return outputFiles[0].text;
  };
  for (const [name, sign] of [
    ['toBlob', 'iVBORw0KGgo'],
    ['listModels', 'recommended_for'],
  ]) {
    assert.ok((await bundled(name)).includes(sign), name);
    assert.ok(!(await bundled('generate, waitForTask')).includes(sign), name);
  }
  const inModule = '(error.task) waits on.';
  assert.ok((await bundled('generate')).includes(inModule));
  for (const name of ['toBlob', 'listModels', 'LemonDataError'])
    assert.ok(!(await bundled(name)).includes(inModule), `${name} needs no module`);
});

test('asks for nothing at installation and at run time', () => {
  const manifest = JSON.parse(
    readFileSync(join(project.folder, 'node_modules/lemondata-wasm/package.json'), 'utf8'),
  );
  assert.equal(manifest.dependencies, undefined);
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) {
    assert.equal(manifest.scripts?.[name], undefined, name);
  }
});

test('stays within the size budget', async () => {
  const sizes = await measure();
  assert.ok(sizes['generate + waitForTask, bundled'].brotli <= 19_710, JSON.stringify(sizes));
  assert.ok(sizes['the same of javascript'].brotli <= 23_800, JSON.stringify(sizes));
  assert.ok(sizes['ai-sdk.js'].brotli <= 2_500, JSON.stringify(sizes));
  assert.ok(sizes['telemetry.js'].brotli <= 1_600, JSON.stringify(sizes));
  assert.ok(sizes['the same of slim'].brotli <= 19_580, JSON.stringify(sizes));
  assert.ok(sizes['generations, bundled'].brotli <= 2_580, JSON.stringify(sizes));
  assert.ok(sizes['react, bundled'].brotli <= 1000, JSON.stringify(sizes));
  assert.ok(sizes['testing.js'].brotli <= 18_500, JSON.stringify(sizes));
});

test('holds no path of the machine that built it', () => {
  for (const file of project.files.filter((path) => path.endsWith('.wasm'))) {
    const bytes = readFileSync(join(project.folder, 'node_modules/lemondata-wasm', file), 'latin1');
    assert.doesNotMatch(bytes, /\.cargo|\.rustup|\/home\/|\/root\//);
  }
});
