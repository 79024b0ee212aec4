/** The page about other languages: curl and Python, as they are printed, against the embedded server. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { PNG } from 'pngjs';
import { CLI, folderFor, start } from '../cli/command.js';
import { sample } from '../helpers/samples.js';
import { startServer } from '../server/index.js';

const execute = promisify(execFile);

describe('a user of another language', { timeout: 300_000 }, () => {
  let server;
  let foreign;
  let env;
  before(async () => {
    foreign = await startServer();
    server = await startServer({ taskMs: 60, foreignOrigin: foreign.url });
    env = { ...process.env, LEMONDATA_BASE_URL: server.url, LEMONDATA_API_KEY: server.apiKey };
  });
  beforeEach(() => server.reset());
  after(async () => {
    await server.close();
    await foreign.close();
  });

  test('creates with curl', async () => {
    const { stdout } = await execute('sh', ['-ec', sample('http/curl')], { env });
    assert.match(JSON.parse(stdout).data[0].url, /^http/);
    assert.equal(server.counts.creates, 1);
  });

  test('saves a picture with Python', async (t) => {
    const cwd = folderFor(t);
    writeFileSync(join(cwd, 'lemon.py'), sample('http/python'));
    const { stdout } = await execute('python3', ['lemon.py', 'A lemon on a windowsill'], { env, cwd });
    const picture = readFileSync(join(cwd, 'lemon.png'));
    assert.equal(stdout, `lemon.png: ${picture.length} bytes\n`);
    assert.ok(PNG.sync.read(picture).width > 0);
    assert.equal(server.counts.creates, 1);
  });

  test('waits in Python, also through an answer that is lost', async (t) => {
    const cwd = folderFor(t);
    writeFileSync(join(cwd, 'lemon.py'), sample('http/python'));
    const request = '{"model": "test-poll:error-503:2", "prompt": "A lemon"}';
    const code = `import lemon; print(lemon.draw(${request}, gap=(0.01, 0.02))[0]["url"])`;
    const { stdout } = await execute('python3', ['-c', code], { env, cwd });
    assert.match(stdout, /^http/);
    assert.equal(server.counts.creates, 1);
    assert.ok(server.counts.polls > 1);
  });

  test('hears why a task failed, and follows no redirect with the key', async (t) => {
    const cwd = folderFor(t);
    writeFileSync(join(cwd, 'lemon.py'), sample('http/python'));
    const draw = (model) =>
      execute(
        'python3',
        ['-c', `import lemon; lemon.draw({"model": "${model}", "prompt": "x"}, max_wait=5, gap=(0, 0.01))`],
        { env, cwd },
      );
    await assert.rejects(draw('test-task-failed-string'), /RuntimeError: \S/);
    await assert.rejects(draw('test-poll:redirect'), /HTTPError: HTTP Error 30\d/);
    assert.equal(foreign.counts.requests.length, 0);
  });

  test('runs the command line from Python', async (t) => {
    const cwd = folderFor(t);
    // What `npx` finds in a project that has the package.
    writeFileSync(join(cwd, 'npx'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${CLI}" "$@"\n`, {
      mode: 0o755,
    });
    const PATH = `${cwd}:${process.env.PATH}`;
    const { stdout } = await execute('python3', ['-c', sample('http/command')], {
      env: { ...env, PATH },
      cwd,
    });
    assert.match(stdout, /^http/);
    assert.equal(server.counts.creates, 1);
  });

  test('creates once through a relay, however often it asks', async () => {
    const relay = start(['relay', '--port', '0'], {
      env: { LEMONDATA_BASE_URL: server.url, LEMONDATA_API_KEY: server.apiKey },
    });
    try {
      const [RELAY_URL] = await relay.until(/http:\S+\/api\/lemondata/);
      const ask = () => execute('sh', ['-ec', sample('http/relay')], { env: { ...process.env, RELAY_URL } });
      const first = JSON.parse((await ask()).stdout);
      assert.match(first.data[0].url, /^http/);
      assert.deepEqual(JSON.parse((await ask()).stdout), first);
      assert.equal(server.counts.creates, 1);
    } finally {
      relay.child.kill('SIGTERM');
      await relay.ended;
    }
  });
});
