import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assign, quote } from './shell.js';

const VARIABLES = { A: 'http://127.0.0.1:8787', B: 'sk-1' };

/** Runs the test as if it were in a terminal of Windows, or of another system. */
function inside(t, platform, shell) {
  const before = { platform: process.platform, SHELL: process.env.SHELL };
  t.after(() => {
    Object.defineProperty(process, 'platform', { value: before.platform });
    if (before.SHELL === undefined) delete process.env.SHELL;
    else process.env.SHELL = before.SHELL;
  });
  Object.defineProperty(process, 'platform', { value: platform });
  delete process.env.SHELL;
  if (shell) process.env.SHELL = shell;
}

describe('lines to copy', () => {
  for (const [name, platform, shell] of [
    ['Linux', 'linux', undefined],
    ['Git Bash', 'win32', '/usr/bin/bash'],
  ]) {
    test(`in ${name}`, (t) => {
      inside(t, platform, shell);
      assert.equal(quote('img_1'), 'img_1');
      assert.equal(quote("it's a lemon.png"), `'it'\\''s a lemon.png'`);
      assert.equal(assign(VARIABLES), 'export A=http://127.0.0.1:8787 B=sk-1');
    });
  }

  test('in PowerShell and cmd.exe, which knows no single quotes', (t) => {
    inside(t, 'win32');
    assert.equal(quote('img_1'), 'img_1');
    assert.equal(quote('C:\\my lemon.png'), '"C:\\my lemon.png"');
    assert.equal(assign(VARIABLES), '$env:A="http://127.0.0.1:8787"; $env:B="sk-1"');
  });
});
