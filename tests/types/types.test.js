/**
 * Compiles the type tests, once for each way in which a project may resolve modules: what they expect not to
 * compile is marked `@ts-expect-error`, which fails where it does compile.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { writeDeclarations } from '../../scripts/build/declarations.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));
const tsc = createRequire(import.meta.url).resolve('typescript/lib/tsc.js');

/**
 * @param {string[]} args
 * @param {string} [cwd]
 * @returns {Promise<string>} what the compiler complains about
 */
function compile(args, cwd = root) {
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, '--pretty', 'false', ...args], { cwd }, (error, stdout, stderr) => {
      resolve(error ? stdout + stderr || error.message : '');
    });
  });
}

describe('the declarations hold what they promise', { concurrency: true }, () => {
  for (const [resolution, config] of [
    ['bundler', 'tsconfig.json'],
    ['node16', 'tsconfig.node16.json'],
    ['node10', 'tsconfig.node10.json'],
    ["Cloudflare's types", 'tsconfig.cloudflare.json'],
  ]) {
    test(`with moduleResolution ${resolution}`, async () => {
      assert.equal(await compile(['--project', join(here, config)]), '');
    });
  }
});

test('ESM and CommonJS find the declarations through the exports of the package', async (t) => {
  const project = await mkdtemp(join(tmpdir(), 'lemondata-types-'));
  t.after(() => rm(project, { recursive: true }));
  const home = join(project, 'node_modules', 'lemondata-wasm');
  await mkdir(join(home, 'dist'), { recursive: true });
  await copyFile(join(root, 'package.json'), join(home, 'package.json'));
  writeDeclarations(join(home, 'dist'));
  const use =
    'const lemon = new LemonData({});\nexport const made = lemon.generate({ prompt: "a lemon" });\n';
  await writeFile(join(project, 'esm.mts'), `import { LemonData } from 'lemondata-wasm';\n${use}`);
  await writeFile(
    join(project, 'cjs.cts'),
    `import lemondata = require('lemondata-wasm');\nconst { LemonData } = lemondata;\n${use}`,
  );
  const options = ['--strict', '--noEmit', '--target', 'es2022'];
  for (const resolution of ['node16', 'nodenext']) {
    const complaints = await compile(
      [...options, '--module', resolution, '--moduleResolution', resolution, 'esm.mts', 'cjs.cts'],
      project,
    );
    assert.equal(complaints, '', resolution);
  }
});
