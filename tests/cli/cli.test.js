/** `npx lemondata-wasm`: what it prints, what it saves, and how it ends. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, afterEach, before, describe, test } from 'node:test';
import { generateAndWait } from 'lemondata-wasm';
import { PNG } from 'pngjs';
import { root } from '../../scripts/lib/run.js';
import { installPacked } from '../helpers/pack.js';
import { startServer } from '../server/index.js';
import { CLI, folderFor, run, start } from './command.js';

const TASK_MS = 3000;

let server;
let clock = 1_706_000_000_000;
/** How far each poll moves the clock. */
let step = TASK_MS / 3;
let env;
before(async () => {
  server = await startServer({
    taskMs: TASK_MS,
    retryAfter: 0,
    now: () => clock,
    onRequest({ method, path }) {
      if (method === 'GET' && path.startsWith('/v1/')) clock += step;
    },
  });
  env = { LEMONDATA_BASE_URL: server.url, LEMONDATA_API_KEY: server.apiKey };
});
after(() => server.close());
afterEach(() => {
  server.reset();
  step = TASK_MS / 3;
});

const sizeOf = (file) => {
  const { width, height } = PNG.sync.read(readFileSync(file));
  return [width, height];
};
const bodies = () => server.counts.requests.map(({ body }) => body).filter(Boolean);

/** Root may write everywhere: `a.png` answers it as it answers others. */
const ACCESS = `
  import fs from 'node:fs/promises';
  import { syncBuiltinESMExports } from 'node:module';
  const { access } = fs;
  fs.access = async (path, mode) => {
    if (path === 'a.png') throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
    return access(path, mode);
  };
  syncBuiltinESMExports();`;
const AS_OTHERS =
  process.getuid?.() === 0
    ? { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(ACCESS)}` }
    : {};

describe('generate', () => {
  test('saves an inline answer, and prints the file', async (t) => {
    const cwd = folderFor(t);
    const args = ['generate', 'A lemon', '-m', 'gpt-image-2', '-o', 'lemon.png', '--size', '1024x1536'];
    const result = await run(args, { env, cwd });
    assert.deepEqual(result, { code: 0, stdout: 'lemon.png\n', stderr: 'sending\n' });
    assert.deepEqual(sizeOf(join(cwd, 'lemon.png')), [1024, 1536]);
    assert.deepEqual(bodies(), [{ model: 'gpt-image-2', prompt: 'A lemon', size: '1024x1536' }]);
    assert.equal(server.counts.keyLeaks, 0);
  });

  test('prints a line for each state in a pipe, and the URL without a file', async () => {
    const { code, stdout, stderr } = await run(['generate', 'A lemon', '-m', 'ideogram-v3'], { env });
    assert.equal(code, 0);
    assert.match(stdout, /^http:\S+\.png\n$/);
    assert.match(stderr, /^sending\ntask img_\w+\nprocessing 33 %\nprocessing 66 %\ncompleted\n$/);
    assert.equal(server.counts.creates, 1);
  });

  test('reads a prompt of - from standard input', async () => {
    const args = ['generate', '-', '-m', 'gpt-image-2'];
    const { code } = await run(args, { env, input: 'A lemon\non a windowsill\n' });
    assert.equal(code, 0);
    assert.deepEqual(bodies(), [{ model: 'gpt-image-2', prompt: 'A lemon\non a windowsill' }]);
  });

  test('takes a prompt that begins with a dash, or is an option, behind --', async () => {
    for (const prompt of ['- a lemon', '--help']) {
      const { code, stderr } = await run(['generate', '-m', 'gpt-image-2', '--', prompt], { env });
      assert.equal(code, 0, stderr);
      assert.equal(bodies().at(-1).prompt, prompt);
    }
  });

  test('keeps a number as it is, also one that JavaScript cannot hold', async () => {
    const args = ['generate', 'A lemon', '-m', 'gpt-image-2', '--set', 'user=123456789012345678'];
    const { code, stderr } = await run([...args, '--set', 'seed=9007199254740991'], { env });
    assert.equal(code, 0, stderr);
    assert.deepEqual([bodies()[0].user, bodies()[0].seed], ['123456789012345678', 9_007_199_254_740_991]);
  });

  test('names a file that the caller has not named after its type', async (t) => {
    const cwd = folderFor(t);
    const start = [0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1];
    server.next({
      reply: { body: { created: 1, data: [{ b64_json: Buffer.from(start).toString('base64') }] } },
    });
    const { code, stdout, stderr } = await run(['generate', 'x', '-m', 'gpt-image-2'], { env, cwd });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^lemondata-\d+\.jpg\n$/);
    assert.deepEqual(readdirSync(cwd), [stdout.trim()]);
  });

  test('numbers several pictures, and sends any field', async (t) => {
    const cwd = folderFor(t);
    const set = ['--set', 'seed=7', '--set', 'aspect_ratio=16:9', '--set', 'expand_prompt=true'];
    const args = ['generate', 'A lemon', '-m', 'ideogram-v3', '-n', '2', '-o', 'lemon.x.png', ...set];
    const { code, stdout } = await run(args, { env, cwd });
    assert.deepEqual([code, stdout], [0, 'lemon.x-1.png\nlemon.x-2.png\n']);
    assert.deepEqual(readdirSync(cwd), ['lemon.x-1.png', 'lemon.x-2.png']);
    const [{ model, prompt, ...fields }] = bodies();
    assert.deepEqual(fields, { n: 2, seed: 7, aspect_ratio: '16:9', expand_prompt: true });
  });

  test('loses no picture that is in the answer itself', async (t) => {
    const cwd = folderFor(t);
    const args = ['generate', 'A lemon', '-m', 'gpt-image-2', '--set', 'response_format=b64_json'];
    const { stdout } = await run(args, { env, cwd });
    assert.match(stdout, /^lemondata-\d+\.png\n$/);
    assert.deepEqual(sizeOf(join(cwd, stdout.trim())), [1024, 1024]);
    const printed = JSON.parse((await run([...args, '--json'], { env, cwd })).stdout);
    assert.match(printed.data[0].b64_json, /^iVBOR/);
    const saved = JSON.parse((await run([...args, '--json', '-o', 'a.png'], { env, cwd })).stdout);
    assert.deepEqual([saved.data[0].b64_json, saved.files], [undefined, ['a.png']]);
  });

  test('prints the answer as JSON', async () => {
    const { code, stdout } = await run(['generate', 'x', '-m', 'ideogram-v3', '--json'], { env });
    const { status, data, files } = JSON.parse(stdout);
    assert.deepEqual([code, status, data.length, files], [0, 'completed', 1, undefined]);
  });

  test('prints the answer where its picture cannot be saved after all', async (t) => {
    const cwd = folderFor(t);
    server.next({ on: 'file', reply: { status: 404 } });
    const result = await run(['generate', 'x', '-m', 'gpt-image-2', '-o', 'a.png'], { env, cwd });
    assert.equal(result.code, 8);
    assert.match(JSON.parse(result.stdout).data[0].url, /\.png$/);
    assert.match(result.stderr, /error: The picture is made, but it could not be saved: .*404.*above\.\n$/);
    assert.equal(existsSync(join(cwd, 'a.png')), false);
  });
});

test('the answer is not lost where standard output is a file on a full disk', async () => {
  for (const json of [[], ['--json']]) {
    const full = openSync('/dev/full', 'w');
    const args = [CLI, 'generate', 'x', '-m', 'gpt-image-2', ...json];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...env, NO_COLOR: '1' },
      stdio: ['ignore', full, 'pipe'],
    });
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    closeSync(full);
    assert.equal(code, 8, stderr);
    assert.match(stderr, /\/files\/.*\.png/);
    // With --json, the error belongs to standard output, too.
    if (json.length === 0) assert.match(stderr, /standard output cannot be written: .*ENOSPC.*above\.\n$/);
  }
});

test('a name that tells of another format is kept, and said', async (t) => {
  const cwd = folderFor(t);
  const save = (file) => run(['generate', 'x', '-m', 'gpt-image-2', '-o', file], { env, cwd });
  const jpg = await save('a.JPEG');
  assert.deepEqual([jpg.code, jpg.stdout], [0, 'a.JPEG\n']);
  assert.match(jpg.stderr, /^a\.JPEG is a picture in the format of \.png, not of \.JPEG\.$/m);
  for (const file of ['a.png', 'a.PNG', 'a', 'a.tmp']) {
    assert.doesNotMatch((await save(file)).stderr, /format/, file);
  }
});

describe('several pictures, one of which was filtered', () => {
  const reply = (image) => {
    const filtered = { error: { code: 'content_filtered', message: 'The picture was filtered.' } };
    return { body: { created: 1, data: [filtered, image] } };
  };
  const note = /^One of the images failed: The picture was filtered\.$/m;

  test('save the other, and say why one is missing', async (t) => {
    const cwd = folderFor(t);
    server.next({
      reply: reply({ b64_json: PNG.sync.write(new PNG({ width: 1, height: 1 })).toString('base64') }),
    });
    const args = ['generate', 'x', '-m', 'gpt-image-2', '-n', '2', '-o', 'a.png'];
    const { code, stdout, stderr } = await run(args, { env, cwd });
    assert.deepEqual([code, stdout], [0, 'a-2.png\n'], stderr);
    assert.match(stderr, note);
    assert.deepEqual(readdirSync(cwd), ['a-2.png']);
  });

  test('print the URL of the other', async () => {
    server.next({ reply: reply({ url: 'https://cdn.test/1.png' }) });
    const { code, stdout, stderr } = await run(['generate', 'x', '-m', 'gpt-image-2', '-n', '2'], { env });
    assert.deepEqual([code, stdout], [0, 'https://cdn.test/1.png\n'], stderr);
    assert.match(stderr, note);
  });
});

describe('a reader that leaves', () => {
  for (const name of ['stdout', 'stderr']) {
    test(`${name} ends no create, and the picture is saved`, async (t) => {
      const cwd = folderFor(t);
      const { child, ended } = start(['generate', 'x', '-m', 'ideogram-v3', '-o', 'a.png'], { env, cwd });
      child[name].destroy();
      const { code } = await ended;
      assert.equal(code, 0);
      assert.deepEqual(readdirSync(cwd), ['a.png']);
    });
  }

  test('such as head, ends the list of models in silence', async () => {
    const { child, ended } = start(['models'], { env });
    child.stdout.destroy();
    assert.deepEqual(await ended, { code: 0, stdout: '', stderr: '' });
  });
});

describe('the exit code says what became of the create', () => {
  for (const [scenario, code, message] of [
    ['error-400-model-not-found', 4, /model_not_found.*Did you mean 'dall-e-3'/],
    ['error-429-bare', 4, /rate_limit_exceeded/],
    ['task-failed-string', 5, /Content policy violation/],
    ['task-vanishes', 5, /async_task_not_found/],
    [
      'poll:error-503-final',
      6,
      /\nThe task goes on\. To get it: npx lemondata-wasm wait img_\w+ -o a\.png\n$/,
    ],
    ['error-500', 7, /billed/],
    ['reset', 7, /billed/],
  ]) {
    test(`${code} for ${scenario}`, async (t) => {
      const args = ['generate', 'x', '-m', `test-${scenario}`, '-o', 'a.png'];
      const result = await run(args, { env, cwd: folderFor(t) });
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, /^error: /m);
      assert.match(result.stderr, message);
      assert.equal(/goes on/.test(result.stderr), code === 6);
      assert.equal(result.stdout, '');
    });
  }

  test('3 where nothing listens', async () => {
    const closed = await startServer();
    await closed.close();
    const result = await run(['generate', 'x', '-m', 'gpt-image-2'], {
      env: { ...env, LEMONDATA_BASE_URL: closed.url },
    });
    assert.equal(result.code, 3, result.stderr);
    // In the system's own words.
    assert.match(result.stderr, /^error: POST .* was not sent.*\nconnect ECONNREFUSED .*\n$/m);
  });

  test('the same with JSON, which holds the task', async () => {
    const result = await run(['generate', 'x', '-m', 'test-poll:error-503-final', '--json'], { env });
    const { error } = JSON.parse(result.stdout);
    assert.equal(result.code, 6);
    assert.deepEqual([error.kind, error.outcome], ['server', 'accepted']);
    assert.equal(error.resume, `npx lemondata-wasm wait ${error.task.task_id}`);
    assert.equal(result.stdout.includes(server.apiKey), false);
  });

  test('and what JSON it prints is a task for wait, as is an id in quotes', async () => {
    const args = ['generate', 'x', '-m', 'test-poll:error-503-final:1', '--json'];
    const { code, stdout } = await run(args, { env });
    assert.equal(code, 6);
    const id = JSON.stringify(JSON.parse(stdout).error.task.task_id);
    for (const input of [stdout, id]) {
      const result = await run(['wait', '-'], { env, input });
      assert.equal(result.code, 0, result.stderr);
    }
    assert.equal(server.counts.creates, 1);
  });

  test('6 after the longest wait, in which the clock of the task stood still', async () => {
    step = 0;
    const args = ['generate', 'x', '-m', 'ideogram-v3', '--max-wait', '1'];
    const result = await run(args, { env });
    assert.equal(result.code, 6, result.stderr);
    assert.match(result.stderr, /goes on/);
  });
});

describe('Ctrl-C, or the end of a container,', () => {
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
    test(`says how to go on, and that command brings the picture: ${signal}`, async (t) => {
      const cwd = folderFor(t);
      step = 0;
      const command = start(['generate', 'x', '-m', 'ideogram-v3', '-o', 'a b.png'], { env, cwd });
      await command.until(/task img_\w+\n/);
      command.child.kill(signal);
      const { code, stderr, stdout } = await command.ended;
      assert.deepEqual([code, stdout], [130, '']);
      const [, task] =
        /\nStopped\.\nThe task goes on\. To get it: npx lemondata-wasm wait (\w+) -o 'a b\.png'\n$/.exec(
          stderr,
        );
      step = TASK_MS;
      const resumed = await run(['wait', task, '-o', 'a b.png'], { env, cwd });
      assert.deepEqual([resumed.code, resumed.stdout], [0, 'a b.png\n']);
      assert.match(resumed.stderr, /^waiting\n/);
      assert.deepEqual(sizeOf(join(cwd, 'a b.png')), [1024, 1024]);
      assert.equal(server.counts.creates, 1);
    });
  }

  test('before the answer says that it may be billed', async () => {
    const command = start(['generate', 'x', '-m', 'test-hang'], { env });
    while (server.counts.creates === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    command.child.kill('SIGINT');
    const { code, stderr } = await command.ended;
    assert.equal(code, 130);
    assert.equal(stderr, 'sending\nStopped before the answer. A create that was sent may be billed.\n');
  });
});

describe('edit', () => {
  test('sends files as a form, and URLs as JSON', async (t) => {
    const cwd = folderFor(t);
    const base = ['edit', 'Make it blue', '-m', 'gpt-image-2'];
    await run(['generate', 'x', '-m', 'gpt-image-2', '-o', 'a.png'], { env, cwd });
    server.reset();
    const made = await run([...base, '-i', 'a.png', '-i', 'a.png', '--mask', 'a.png', '-o', 'b.png'], {
      env,
      cwd,
    });
    assert.deepEqual([made.code, made.stdout], [0, 'b.png\n'], made.stderr);
    const [{ image, mask }] = bodies();
    assert.deepEqual(
      [image.length, mask.length, image[0].filename, image[0].type],
      [2, 1, 'a.png', 'image/png'],
    );
    server.reset();
    const url = 'https://x.test/1.png';
    for (const [args, fields] of [
      [['-i', url], { image_url: url }],
      [['-i', url, '-i', url, '--mask', url], { image_urls: [url, url], mask: { image_url: url } }],
    ]) {
      assert.equal((await run([...base, ...args], { env })).code, 0);
      const { model, prompt, ...rest } = bodies().at(-1);
      assert.deepEqual(rest, fields);
    }
  });
});

test('models lists what the service offers, without a key', async () => {
  const { LEMONDATA_BASE_URL } = env;
  const { code, stdout } = await run(['models'], { env: { LEMONDATA_BASE_URL } });
  assert.equal(code, 0);
  assert.match(stdout, /^nano-banana-pro\ttext-to-image,image-to-image,image-edit\t0\.15$/m);
  assert.doesNotMatch(stdout, /seedance/);
  const list = JSON.parse((await run(['models', '--json'], { env })).stdout);
  assert.ok(list.some(({ id }) => id === 'ideogram-v3'));
});

describe('bad input ends before anything is sent, and says what is expected', () => {
  const base = ['generate', 'x', '-m', 'gpt-image-2'];
  for (const [args, message] of [
    [['paint', 'x'], /no command 'paint'.*generate, edit, wait, models, mock, relay/],
    [['generate'], /needs a prompt/],
    [['generate', ' ', '-m', 'x'], /needs a prompt/],
    [['generate', 'A', 'lemon', '-m', 'x'], /'lemon' is one argument too many.*quotes/],
    [['generate', '-', '-m', 'x'], /Standard input is empty: it should hold the prompt/],
    [['generate', 'x'], /Which model\? .*-m gpt-image-2.*models/],
    [[...base, '--ouput', 'x'], /Unknown option '--ouput'\. .*generate --help/],
    [[...base, '-o'], /'-o, --output <value>' argument missing\. .*--help/],
    [[...base, '-n', '0'], /--count must be a whole number from 1 to 10, not '0'/],
    [[...base, '-n', 'two'], /--count must be .*, not 'two'/],
    [[...base, '--max-wait', '1.5'], /--max-wait must be a whole number from 1 to 86400/],
    [
      ['generate', '- a lemon', '-m', 'x'],
      /Unknown option.* Put -- in front of a prompt that begins with a dash/,
    ],
    [[...base, '-o=lemon.png'], /-o=lemon\.png has a = too many: -o lemon\.png\./],
    [[...base, '-o', ''], /--output is empty\. Name a file/],
    [[...base, '-o', '-'], /not to standard output\. Name one: -o lemon\.png/],
    [[...base, '--set', 'seed'], /--set must be name=value, .*not 'seed'/],
    [[...base, '-o', 'none/a.png'], /in 'none'/],
    [[...base, '-o', 'none/'], /'none\/' is a folder\./],
    [[...base, '-o', 'text.png/a.png'], /Nothing can be saved there: ENOTDIR/],
    [[...base, '-o', `${'lemon '.repeat(50)}.png`], /Nothing can be saved there: ENAMETOOLONG/],
    [[...base, '-o', 'folder'], /'folder' is a folder\. .*-o folder\/lemon\.png/],
    [['edit', 'x', '-m', 'gpt-image-2'], /Which picture\?/],
    [
      ['edit', 'x', '-m', 'gpt-image-2', '-i', 'none.png'],
      /'none\.png' cannot be read: there is no such file/,
    ],
    [['edit', 'x', '-m', 'gpt-image-2', '-i', 'a.png', '--mask', ''], /The picture '' cannot be read/],
    [['edit', 'x', '-m', 'gpt-image-2', '-i', 'text.png'], /'text\.png' is no PNG, JPEG or WebP/],
    [['edit', 'x', '-m', 'gpt-image-2', '-i', 'a.png', '-i', 'https://x.test/1'], /files or URLs, not both/],
    [['wait'], /needs a task/],
    [['wait', '{"task_id":'], /must be an id, or JSON with a task_id/],
    [['models', 'all'], /'all' is one argument too many for models/],
    [['relay', '--mock', '--origin', 'http://localhost:5173/'], /list of exact origins/],
    [['mock', '--port', '70000'], /--port must be a whole number from 0 to 65535, not '70000'/],
  ]) {
    test(args.join(' '), async (t) => {
      const cwd = folderFor(t);
      mkdirSync(join(cwd, 'folder'));
      writeFileSync(join(cwd, 'text.png'), 'not a picture');
      writeFileSync(join(cwd, 'a.png'), PNG.sync.write(new PNG({ width: 1, height: 1 })));
      const { code, stdout, stderr } = await run(args, { env, cwd });
      assert.equal(code, 2, stderr);
      assert.match(stderr, /^error: /);
      assert.match(stderr, message);
      assert.equal(stdout, '');
      assert.equal(server.counts.requests.length, 0);
    });
  }

  for (const [name, input] of [
    ['with a byte order mark', Buffer.from('\uFEFFA lemon', 'utf16le')],
    ['without one', Buffer.from('A lemon', 'utf16le')],
    ['of Latin-1', Buffer.from('Zitrone auf Kaffee, Caf\u00e9', 'latin1')],
  ]) {
    test(`a prompt in another encoding than UTF-8: ${name}`, async () => {
      const { code, stderr } = await run(['generate', '-', '-m', 'gpt-image-2'], { env, input });
      assert.deepEqual([code, stderr], [2, 'error: Standard input is no text in UTF-8.\n']);
      assert.equal(server.counts.requests.length, 0);
    });
  }

  test('a file that is there already, and read-only', async (t) => {
    const cwd = folderFor(t);
    writeFileSync(join(cwd, 'a.png'), '', { mode: 0o444 });
    const { code, stderr } = await run([...base, '-o', 'a.png'], { env: { ...env, ...AS_OTHERS }, cwd });
    assert.equal(code, 2, stderr);
    assert.match(stderr, /^error: 'a\.png' is there already, and not yours to write\.$/m);
    assert.equal(server.counts.requests.length, 0);
  });

  for (const [name, value, message] of [
    ['LEMONDATA_API_KEY', 'Bearer sk-1', /^error: apiKey must be the key alone/m],
    ['LEMONDATA_BASE_URL', 'lemondata', /^error: baseUrl must be an http\(s\) URL/m],
  ]) {
    test(`${name}=${value}`, async () => {
      const { code, stderr } = await run(base, { env: { ...env, [name]: value } });
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
      assert.equal(server.counts.requests.length, 0);
    });
  }

  test('no key, also as JSON', async () => {
    const expected = /no key\. Set LEMONDATA_API_KEY .* TOKENLAB_API_KEY .*lemondata-wasm mock/;
    const { code, stderr } = await run(base);
    assert.equal(code, 2);
    assert.match(stderr, expected);
    const printed = await run([...base, '--json']);
    assert.equal(printed.code, 2);
    assert.match(JSON.parse(printed.stdout).error.message, expected);
  });
});

test('TOKENLAB_API_KEY has its own address, unless another is named', async () => {
  const { LEMONDATA_BASE_URL } = env;
  const named = { TOKENLAB_API_KEY: server.apiKey, LEMONDATA_BASE_URL };
  assert.equal((await run(['generate', 'x', '-m', 'gpt-image-2'], { env: named })).code, 0);
  assert.equal(server.counts.requests[0].headers.authorization, `Bearer ${server.apiKey}`);
});

describe('mock', () => {
  test('is a service on a port, until Ctrl-C', async () => {
    const command = start([
      'mock',
      '--port',
      '0',
      '--task-ms',
      '0',
      '--strict',
      '--cors',
      '--key',
      'sk-mine-12345',
    ]);
    try {
      const [, baseUrl] = await command.until(/bills nothing: (http:\S+)\n/);
      const [, apiKey] = await command.until(/LEMONDATA_API_KEY=(\S+)\n/);
      assert.equal(apiKey, 'sk-mine-12345');
      const options = { apiKey, baseUrl, pollInterval: { min: 1, max: 2 } };
      const request = { model: 'ideogram-v3', prompt: 'x' };
      assert.equal((await generateAndWait(request, options)).status, 'completed');
      await command.until(/POST \/v1\/images\/generations 200/);
      await assert.rejects(generateAndWait({ prompt: 'x' }, options), { status: 400 });
      const health = await fetch(`${baseUrl}/health`, { headers: { origin: 'https://x.test' } });
      assert.equal(health.headers.get('access-control-allow-origin'), '*');
      const second = await run(['mock', '--port', new URL(baseUrl).port]);
      assert.equal(second.code, 2);
      assert.match(second.stderr, /Port \d+ is in use\. Choose another one: --port \d+/);
    } finally {
      command.child.kill('SIGINT');
    }
    assert.equal((await command.ended).code, 0);
  });

  test('lets in other machines where it is told to, and names a host that is not of this one', async () => {
    const command = start(['mock', '--port', '0', '--host', '0.0.0.0']);
    try {
      const [, baseUrl] = await command.until(/bills nothing: (http:\S+)\n/);
      const { port } = new URL(baseUrl);
      assert.equal((await fetch(`http://127.0.0.2:${port}/health`)).status, 200);
    } finally {
      command.child.kill('SIGINT');
    }
    await command.ended;
    const foreign = await run(['mock', '--port', '0', '--host', '192.0.2.1']);
    assert.equal(foreign.code, 2);
    assert.match(foreign.stderr, /--host must be an address of this machine.*not '192\.0\.2\.1'/);
  });
});

describe('relay', () => {
  for (const [way, args] of [
    ['with the key of the environment', []],
    ['with a service in memory', ['--mock']],
  ]) {
    test(way, async () => {
      const offer = ['--model', 'ideogram-v3', '--origin', 'http://localhost:5173'];
      const command = start(['relay', '--port', '0', ...offer, ...args], {
        env: way.includes('key') ? env : {},
      });
      try {
        const [, baseUrl] = await command.until(/development: (http:\S+)\n/);
        const options = { baseUrl, relay: true, pollInterval: { min: 1, max: 2 } };
        const request = { model: 'ideogram-v3', prompt: 'x', size: '16x16' };
        if (args.length === 0) {
          const { data } = await generateAndWait(request, options);
          assert.match(data[0].url, /\.png$/);
          assert.equal(server.counts.requests[0].headers.authorization, `Bearer ${server.apiKey}`);
        }
        const refused = generateAndWait({ ...request, model: 'gpt-image-2' }, options);
        await assert.rejects(refused, { status: 400 });
        const health = (origin) => fetch(`${baseUrl}/health`, { headers: { origin } });
        const allowed = async (origin) => (await health(origin)).headers.get('access-control-allow-origin');
        assert.equal(await allowed('http://localhost:5173'), 'http://localhost:5173');
        assert.equal(await allowed('https://foreign.example'), null);
      } finally {
        command.child.kill('SIGTERM');
      }
      assert.equal((await command.ended).code, 0);
    });
  }

  test('says that its port is taken, and that it has no key', async () => {
    const taken = await run(['relay', '--mock', '--port', `${server.port}`]);
    assert.equal(taken.code, 2);
    assert.match(taken.stderr, /in use/);
    assert.equal((await run(['relay'])).code, 2);
  });
});

describe('help', () => {
  const page = readFileSync(join(root, 'docs', 'cli.md'), 'utf8');

  test('names every command, and each its options, as the page does', async () => {
    const { code, stdout } = await run(['help']);
    assert.equal(code, 0);
    assert.deepEqual(await run([]), await run(['--help']));
    const commands = [...stdout.matchAll(/^ {2}npx lemondata-wasm (\w+)/gm)].map(([, name]) => name);
    assert.deepEqual(commands, ['generate', 'edit', 'wait', 'models', 'mock', 'relay']);
    for (const name of commands) {
      const help = await run([name, '--help']);
      assert.equal(help.code, 0);
      assert.ok(help.stdout.startsWith(`npx lemondata-wasm ${name}`));
      assert.ok(page.includes(`\`${name}`), name);
      for (const [option] of help.stdout.matchAll(/--[a-z-]+/g))
        assert.ok(page.includes(`\`${option}`), option);
    }
    for (const [, number] of stdout.split('Exit codes:')[1].matchAll(/\b(\d+) /g))
      assert.match(page, new RegExp(`^\\| ${number} \\|`, 'm'));
  });

  test('--version is that of the package', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    assert.deepEqual(await run(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
  });
});

test('the packed package has the command', async (t) => {
  const project = installPacked();
  t.after(() => project.remove());
  const file = join(project.folder, 'node_modules', '.bin', 'lemondata-wasm');
  const args = ['generate', 'A lemon', '-m', 'ideogram-v3', '-o', 'lemon.png'];
  const result = await run(args, { env, cwd: project.folder, file });
  assert.deepEqual([result.code, result.stdout], [0, 'lemon.png\n'], result.stderr);
  assert.deepEqual(sizeOf(join(project.folder, 'lemon.png')), [1024, 1024]);
  assert.match(readFileSync(CLI, 'utf8'), /^#!\/usr\/bin\/env node\n/);
});
