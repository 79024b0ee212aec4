/** The declarations of the provider fit those of the SDK. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../../scripts/lib/run.js';
import { tools } from './sdk.js';

const tsc = createRequire(import.meta.url).resolve('typescript/lib/tsc.js');

for (const version of ['ai-6', 'ai-7']) {
  test(`of ${version}`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'lemondata-ai-sdk-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const modules = join(folder, 'node_modules');
    mkdirSync(join(modules, '@types'), { recursive: true });
    symlinkSync(join(tools, version), join(modules, 'ai'));
    symlinkSync(join(root, 'node_modules/@types/node'), join(modules, '@types/node'));
    symlinkSync(root, join(modules, 'lemondata-wasm'));
    cpSync(join(import.meta.dirname, 'types.ts'), join(folder, 'types.ts'));
    const compilerOptions = {
      target: 'es2022',
      module: 'nodenext',
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      // The SDK's own declarations do not compile everywhere.
      skipLibCheck: true,
      noEmit: true,
      types: ['node'],
    };
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['types.ts'] }));
    const run = () => execFileSync(process.execPath, [tsc, '--project', folder], { encoding: 'utf8' });
    assert.doesNotThrow(run, (error) => assert.fail(error.stdout));
  });
}
