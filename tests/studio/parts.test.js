/** The parts of the studio that need no page: settings, links, texts, code. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { LemonDataError } from 'lemondata-wasm';
import { PNG } from 'pngjs';
import { root } from '../../scripts/lib/run.js';
import { literal, SAMPLES } from '../../www/code-samples.js';
import { percentOf } from '../../www/estimate.js';
import { fileName } from '../../www/file-name.js';
import { readLink, writeLink } from '../../www/link.js';
import { DEFAULTS, problemsOf, requestOf, settingsOf, shapeOf } from '../../www/settings.js';
import { namesOf, problemOfFiles, readSources } from '../../www/sources.js';
import { amount, countdown, duration, explain, meta, short } from '../../www/words.js';
import { startServer } from '../server/index.js';

const ODD = {
  model: 'flux-pro',
  prompt: `It's a "quote", a \\ and a\nnew line \u2028 ${'</script>'}`,
  size: '512x512',
  n: 2,
  'odd key': [1, { a: null }],
  nested: { deep: [true, 'x'] },
};

describe('settings', () => {
  const good = { ...DEFAULTS, prompt: 'A lemon' };

  test('make the request, without those left to the server', () => {
    assert.deepEqual(requestOf(good), { model: 'gpt-image-2', prompt: 'A lemon', size: '1024x1024' });
    assert.deepEqual(
      requestOf({ ...good, size: ' ', n: '3', quality: 'hd', style: 'vivid', extra: '{"tone": "warm"}' }),
      { model: 'gpt-image-2', prompt: 'A lemon', n: 3, quality: 'hd', style: 'vivid', tone: 'warm' },
    );
    const { size, model, prompt, ...further } = requestOf({
      ...good,
      ...{ aspect_ratio: '16:9', resolution: '2K', background: 'transparent', output_format: 'webp' },
      ...{ output_compression: '80', moderation: 'low', negative_prompt: 'limes', expand_prompt: 'false' },
      ...{ seed: '0', async: 'true' },
    });
    assert.deepEqual(further, {
      aspect_ratio: '16:9',
      resolution: '2K',
      background: 'transparent',
      output_format: 'webp',
      output_compression: 80,
      moderation: 'low',
      seed: 0,
      negative_prompt: 'limes',
      expand_prompt: false,
      async: true,
    });
  });

  test('come back out of a request', () => {
    const settings = { ...good, n: '2', response_format: 'b64_json', seed: '7', async: 'false' };
    const request = { ...requestOf(settings), unknown: [1] };
    assert.deepEqual(requestOf(settingsOf(request)), request);
    assert.deepEqual(requestOf(settingsOf({ model: 'm', prompt: 'p' })), { model: 'm', prompt: 'p' });
  });

  test('have a problem only where they are wrong', () => {
    assert.deepEqual(problemsOf(good), {});
    for (const [name, wrong] of [
      ['prompt', ['', '  \n', 'x'.repeat(4001)]],
      ['model', ['', ' ', 'x'.repeat(129)]],
      ['size', ['12', '0x10', '1024X1024', '1024x', 'wide']],
      ['n', ['', '0', '11', '1.5', '-1', 'x']],
      ['quality', ['x'.repeat(33)]],
      ['seed', ['-1', '1.5', 'x', '4294967296']],
      ['output_compression', ['101']],
      ['negative_prompt', ['x'.repeat(4001)]],
      ['extra', ['{', '[]', '1', 'null', '{"n": 2}', '{"prompt": ""}', '{"seed": 1}']],
    ]) {
      for (const text of wrong) {
        assert.deepEqual(Object.keys(problemsOf({ ...good, [name]: text })), [name], text);
      }
    }
    for (const size of ['auto', '640x480', '']) {
      assert.deepEqual(problemsOf({ ...good, model: 'my-model', size }), {});
    }
  });

  test('survive an address', () => {
    const settings = { ...good, prompt: 'a & b = c # d + ü%', seed: '7', extra: '{"tone": 7}' };
    assert.deepEqual(readLink(writeLink(settings)).settings, settings);
    assert.equal(writeLink(DEFAULTS), '');
    assert.deepEqual(readLink(writeLink(DEFAULTS, 'gallery')), { settings: DEFAULTS, view: 'gallery' });
    assert.deepEqual(readLink('#view=elsewhere&unknown=1'), { settings: DEFAULTS, view: 'create' });
  });

  test('give the shape of the picture', () => {
    assert.deepEqual(shapeOf({ size: '1792x1024' }), { width: 1792, height: 1024 });
    assert.deepEqual(shapeOf({ size: 'auto', aspect_ratio: '16:9' }), { width: 1024, height: 576 });
    for (const size of [undefined, 'auto', '', 'x']) {
      assert.deepEqual(shapeOf({ size, aspect_ratio: 'auto' }), { width: 1024, height: 1024 });
    }
  });
});

describe('texts', () => {
  test('for times and amounts', () => {
    assert.deepEqual([0, 1499, 61_000, 3_660_000].map(duration), ['0 s', '1 s', '1 min 1 s', '1 h 1 min']);
    assert.deepEqual([10, 32_100, 2_345_678].map(amount), ['10 bytes', '32 KB', '2.3 MB']);
    assert.equal(short('lemon', 5), 'lemon');
    assert.equal(short('lemons', 5), 'lemo…');
    assert.equal(short('lem🍋ns', 5), 'lem…', 'no half of an emoji');
    assert.equal(meta({ model: 'm', size: '1x2', n: 4, quality: 'hd' }), 'm · 1 × 2 · hd · 4 pictures');
    assert.equal(meta({ model: 'm' }, { action: 'edit', pictures: ['a.png'] }), 'm · an edit');
  });

  test('for the next poll: a range', () => {
    const next = { from: 3000, to: 5000 };
    assert.deepEqual(
      [0, 2500, 3000, 4200, 5000, 9000].map((now) => countdown(next, now)),
      [
        'Next poll in 3–5 s',
        'Next poll in 1–3 s',
        'Next poll within 2 s',
        'Next poll within 1 s',
        'Next poll any moment',
        'Next poll any moment',
      ],
    );
    assert.equal(countdown({ from: 900, to: 1000 }, 0), 'Next poll in about 1 s');
  });

  test('for the progress: the server’s figure, or an estimate below 100 %', () => {
    assert.deepEqual(percentOf({ progress: 40 }, 0), { percent: 40, isEstimate: false });
    assert.deepEqual(percentOf({ progress: 140 }, 0), { percent: 100, isEstimate: false });
    assert.deepEqual(percentOf({}, 60_000), { percent: 50, isEstimate: true });
    assert.deepEqual(percentOf({}, 9e9), { percent: 95, isEstimate: true });
  });

  test('for every error, with a next step', () => {
    for (const outcome of ['not_sent', 'rejected', 'accepted', 'failed', 'unknown']) {
      const { title, next, facts } = explain(new LemonDataError({ kind: 'server', outcome, message: 'x' }));
      assert.ok(title && next, outcome);
      assert.deepEqual(Object.fromEntries(facts).outcome, outcome);
    }
    const lost = explain(new LemonDataError({ kind: 'connection', outcome: 'unknown', message: 'x' }));
    assert.equal(lost.title, 'The connection was lost');
    assert.match(lost.next, /may be billed/, 'the cost comes before the cause');
    const bug = explain(new TypeError('x is not a function'));
    assert.equal(bug.title, 'This page has failed');
  });

  test('for a refused account', () => {
    const fields = { kind: 'permission_denied', outcome: 'rejected', message: 'no', hint: 'See the log.' };
    const error = new LemonDataError(fields);
    assert.equal(explain(error).hint, 'See the log.');
    assert.equal(explain(error, { status: 402, code: 'q' }).hint, undefined, 'the title says why');
    assert.equal(explain(error, { status: 402, code: 'quota_exceeded' }).title, 'The balance is used up');
    assert.deepEqual(Object.fromEntries(explain(error, { status: 402, code: 'q' }).facts).code, 'q');
    assert.equal(explain(error).title, 'Refused');
  });

  test('for alternative models', () => {
    const error = new LemonDataError({
      kind: 'invalid_request',
      outcome: 'rejected',
      message: 'x',
      didYouMean: 'a',
      suggestions: [{ id: 'b' }, { id: 'a' }],
      alternatives: [{ id: 'c' }, { id: 'd' }],
    });
    assert.deepEqual(explain(error).models, ['a', 'b', 'c']);
  });
});

test('a downloaded file is named after its picture', () => {
  // The first minutes of the person's day, wherever that is.
  const at = new Date(2026, 10, 21, 0, 5).getTime();
  const name = (prompt, more) =>
    fileName({ request: { prompt, model: 'flux-pro' }, at, index: 0, count: 1, type: 'image/png', ...more });
  assert.equal(name('A lemon, on: a "beach"!'), 'a-lemon-on-a-beach-flux-pro-2026-11-21.png');
  assert.equal(
    name('../../etc/passwd', { count: 2, index: 1, type: 'image/webp' }),
    'etc-passwd-flux-pro-2026-11-21-2.webp',
  );
  assert.equal(name('Ünïcode 檸檬'), 'ünïcode-檸檬-flux-pro-2026-11-21.png');
  // The marks of a script are part of its letters.
  assert.equal(name('नींबू, ガラス ❤️ 레몬'), 'नींबू-ガラス-레몬-flux-pro-2026-11-21.png');
  assert.ok(name(`${'x'.repeat(47)}𠮷𠮷`).startsWith(`${'x'.repeat(47)}𠮷-flux`));
  assert.ok(name('x'.repeat(4000)).length < 100);
  const extension = (type) => name('', { type }).match(/\.\w+$/)[0];
  assert.deepEqual(['image/jpeg', 'image/avif', 'image/svg+xml', undefined].map(extension), [
    '.jpg',
    '.avif',
    '.svg',
    '.png',
  ]);
});

describe('reference pictures', () => {
  const png = { name: 'lemon.png', type: 'image/png', size: 1000 };

  test('have a problem where the service would refuse them', () => {
    assert.equal(problemOfFiles([], 'edit'), undefined);
    assert.equal(problemOfFiles(Array(16).fill(png), 'edit'), undefined);
    assert.match(problemOfFiles([{ ...png, type: 'image/gif' }], 'edit'), /^lemon\.png is not a PNG/);
    assert.match(problemOfFiles([{ ...png, size: 51 * 2 ** 20 }], 'edit'), /larger than 50 MB/);
    assert.match(problemOfFiles(Array(17).fill(png), 'edit'), /^At most 16/);
    assert.match(problemOfFiles(Array(5).fill({ ...png, size: 45 * 2 ** 20 }), 'edit'), /larger than 200 MB/);
    assert.match(problemOfFiles([png, png], 'generate'), /takes one reference/);
  });

  test('are stored as bytes, and named without them', async () => {
    const file = new File(['abc'], 'lemon.png', { type: 'image/png' });
    const sources = await readSources('edit', [file], file);
    assert.equal(Buffer.from(sources.pictures[0].bytes).toString(), 'abc');
    const { check, ...names } = namesOf(sources);
    assert.deepEqual(names, { action: 'edit', pictures: ['lemon.png'], mask: 'lemon.png' });
    const { check: other, ...fewer } = namesOf(await readSources('generate', [file], file));
    assert.deepEqual(fewer, { action: 'generate', pictures: ['lemon.png'] });
    assert.notEqual(check, other);
    assert.equal(await readSources('edit', []), undefined);
    assert.equal(namesOf(undefined), undefined);
  });
});

describe('the code', () => {
  let server;
  let folder;
  before(async () => {
    server = await startServer({ taskMs: 0 });
    // Inside the repository, where the package can import itself by name.
    folder = await mkdtemp(join(root, 'target', 'studio-'));
  });
  after(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  test('writes any value as a person would', () => {
    for (const value of [ODD, [], {}, [[1], { a: [] }], '', "'", JSON.parse('{"__proto__": 1}')]) {
      // biome-ignore lint/security/noGlobalEval: the text is JavaScript
      assert.deepEqual(globalThis.eval(`(${literal(value)})`), value);
    }
    assert.equal(literal({ a: "it's", 'b-c': [1, 2] }), "{\n  a: 'it\\'s',\n  'b-c': [1, 2],\n}");
  });

  /** A preload that sends requests for the service to the embedded server, and speeds up the cadence. */
  const redirect = () => `
    const { fetch, setTimeout } = globalThis;
    globalThis.fetch = (url, init) => fetch(url.replace('https://api.lemondata.cc', '${server.url}'), init);
    // Gaps between polls are short; time-outs keep their length.
    globalThis.setTimeout = (run, ms, ...rest) => setTimeout(run, ms > 5000 ? ms : ms / 200, ...rest);
  `;

  /** Runs a module in the folder, and returns the create that the server received. */
  async function execute(name, code) {
    server.reset();
    await writeFile(join(folder, 'redirect.mjs'), redirect());
    await writeFile(join(folder, name), code);
    const child = spawn(process.execPath, ['--import', pathToFileURL(join(folder, 'redirect.mjs')), name], {
      cwd: folder,
      env: { ...process.env, LEMONDATA_API_KEY: server.apiKey },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const [status] = await once(child, 'exit');
    assert.equal(status, 0);
    return server.counts.requests[0].body;
  }

  test('for Node runs as it stands, and sends exactly this request', async () => {
    assert.deepEqual(await execute('picture.mjs', SAMPLES.node.write({ request: ODD })), ODD);
    for (const name of ['picture-1.png', 'picture-2.png']) {
      assert.equal((await readFile(join(folder, name))).subarray(1, 4).toString(), 'PNG');
    }
  });

  test('for Node opens the reference pictures, and sends exactly this edit', async () => {
    const bytes = PNG.sync.write(new PNG({ width: 16, height: 16 }));
    await writeFile(join(folder, 'lemon.png'), bytes);
    const sources = { action: 'edit', pictures: ['lemon.png', 'lemon.png'], mask: 'lemon.png' };
    const request = { model: 'gpt-image-2', prompt: 'A blue lemon' };
    const body = await execute('edit.mjs', SAMPLES.node.write({ request, sources }));
    assert.deepEqual([body.model, body.prompt], [request.model, request.prompt]);
    assert.deepEqual([body.image.length, body.mask.length], [2, 1]);
    assert.deepEqual([body.image[0].type, body.image[0].size], ['image/png', bytes.length]);
  });

  test('names the service where it is not the default one', () => {
    const baseUrl = 'https://api.tokenlab.sh';
    for (const name of ['node', 'worker']) {
      const code = SAMPLES[name].write({ request: ODD, baseUrl });
      assert.match(code, /TOKENLAB_API_KEY, baseUrl: 'https:\/\/api\.tokenlab\.sh'/);
    }
    assert.doesNotMatch(SAMPLES.browser.write({ request: ODD, baseUrl }), /tokenlab/);
  });

  test('for a worker does, too', async () => {
    await writeFile(join(folder, 'worker.mjs'), SAMPLES.worker.write({ request: ODD }));
    const call = `
      import worker from './worker.mjs';
      const answer = await worker.fetch(new Request('https://x.test/'), process.env);
      if (answer.headers.get('content-type') !== 'image/png') throw new Error('no picture');
    `;
    assert.deepEqual(await execute('call.mjs', call), ODD);
  });

  test('for a worker sends the pictures of its form', async () => {
    const sources = { action: 'generate', pictures: ['lemon.png'] };
    const request = { model: 'gpt-image-2', prompt: 'A blue lemon' };
    await writeFile(join(folder, 'form-worker.mjs'), SAMPLES.worker.write({ request, sources }));
    const bytes = PNG.sync.write(new PNG({ width: 16, height: 16 }));
    const call = `
      import worker from './form-worker.mjs';
      const form = new FormData();
      form.append('image', new File([Buffer.from('${bytes.toString('base64')}', 'base64')], 'lemon.png', { type: 'image/png' }));
      const answer = await worker.fetch(new Request('https://x.test/', { method: 'POST', body: form }), process.env);
      if (answer.headers.get('content-type') !== 'image/png') throw new Error('no picture');
    `;
    const { image, prompt } = await execute('form-call.mjs', call);
    assert.deepEqual([image.length, image[0].size, prompt], [1, bytes.length, request.prompt]);
  });

  test('for a browser sends the pictures of its pickers', async () => {
    const sources = { action: 'edit', pictures: ['lemon.png', 'lime.png'], mask: 'mask.png' };
    const request = { model: 'gpt-image-2', prompt: 'A blue lemon' };
    await writeFile(join(folder, 'edit-browser.mjs'), SAMPLES.browser.write({ request, sources }));
    const bytes = PNG.sync.write(new PNG({ width: 16, height: 16 }));
    const page = `
      globalThis.Image = class {};
      const file = (name) => new File([Buffer.from('${bytes.toString('base64')}', 'base64')], name, { type: 'image/png' });
      const files = { '#pictures': [file('lemon.png'), file('lime.png')], '#mask': [file('mask.png')] };
      globalThis.document = { body: { append() {} }, querySelector: (id) => ({ files: files[id] }) };
      globalThis.location = { href: '${server.url}/' };
      const { fetch } = globalThis;
      globalThis.fetch = (url, { headers, ...init }) => {
        headers.set('authorization', 'Bearer ${server.apiKey}');
        return fetch(url.replace('/api/lemondata', ''), { ...init, headers });
      };
      await import('./edit-browser.mjs');
    `;
    const { image, mask, ...texts } = await execute('edit-page.mjs', page);
    assert.deepEqual(texts, request);
    assert.deepEqual(
      [...image, ...mask].map(({ filename }) => filename),
      ['lemon.png', 'lime.png', 'mask.png'],
    );
    assert.equal(server.counts.requests[0].path, '/v1/images/edits');
  });

  test('for a browser does, too, with the globals of a page', async () => {
    for (const format of ['url', 'b64_json']) {
      const request = { ...ODD, response_format: format };
      const page = `
        const pictures = [];
        globalThis.Image = class {};
        globalThis.document = { body: { append: (picture) => pictures.push(picture) } };
        globalThis.location = { href: '${server.url}/' };
        const { fetch } = globalThis;
        globalThis.fetch = (url, { headers = [], ...init }) => {
          const isApi = url.includes('/api/lemondata');
          const extra = isApi ? [['authorization', 'Bearer ${server.apiKey}']] : [];
          return fetch(url.replace('/api/lemondata', ''), { ...init, headers: [...headers, ...extra] });
        };
        await import('./browser.mjs');
        const start = '${format}' === 'url' ? 'http' : 'blob:';
        if (pictures.length !== 2 || !pictures.every(({ src }) => src.startsWith(start))) {
          throw new Error(JSON.stringify(pictures));
        }
      `;
      await writeFile(join(folder, 'browser.mjs'), SAMPLES.browser.write({ request }));
      assert.deepEqual(await execute('page.mjs', page), request);
    }
  });
});
