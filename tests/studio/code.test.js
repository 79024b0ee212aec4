/** The code of the studio: each sample runs as it stands; the drawer follows the form and shows what was exchanged. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { build } from 'esbuild';
import { createRelay, memoryStore } from 'lemondata-wasm/relay';
import { PNG } from 'pngjs';
import { root } from '../../scripts/lib/run.js';
import { SAMPLES } from '../../www/code-samples.js';
import { earlierText, exchangeText, redact, stateText } from '../../www/exchange.js';
import { recordAnswer, recordRequest, withoutData } from '../../www/wire.js';
import { serveSite } from '../helpers/site.js';
import { ensureTools } from '../matrix/project.js';
import { startServer } from '../server/index.js';
import { launch, PROMPT, useStudio } from './studio.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 300_000 };
const ODD = {
  model: 'flux-pro',
  prompt: `It's a "quote", a \\ and a\nnew line \u2028 $HOME \`x\` ${'</script>'} ü 🍋`,
  size: '512x512',
  n: 2,
  'odd key': [1, { a: null, b: false }],
};
const EDIT = { model: 'gpt-image-2', prompt: "@it's blue; type=x", size: '64x64', n: 2 };
const SOURCES = { action: 'edit', pictures: ['lemon.png', 'a "lime".png'], mask: 'mask.png' };
const BYTES = PNG.sync.write(new PNG({ width: 16, height: 16 }));

describe('a sample', GUARD, () => {
  let server;
  let folder;
  before(async () => {
    server = await startServer({ taskMs: 0 });
    // Inside the repository, where the package can import itself by name.
    folder = await mkdtemp(join(root, 'target', 'studio-'));
    for (const name of [...SOURCES.pictures, SOURCES.mask]) await writeFile(join(folder, name), BYTES);
    await writeFile(join(folder, 'redirect.mjs'), redirect());
  });
  after(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  /** A preload that sends requests for the service to the embedded server, and speeds up the cadence. */
  const redirect = () => `
    const { fetch, setTimeout } = globalThis;
    globalThis.fetch = (url, init) => fetch(url.replace('https://api.lemondata.cc', '${server.url}'), init);
    globalThis.setTimeout = (run, ms, ...rest) => setTimeout(run, ms > 5000 ? ms : ms / 200, ...rest);
  `;

  /** Writes a file into the folder, runs a program there, and returns the create that the server received. */
  async function run(name, code, [program, ...args]) {
    server.reset();
    await writeFile(join(folder, name), code);
    const child = spawn(program, args, {
      cwd: folder,
      env: { ...process.env, LEMONDATA_API_KEY: server.apiKey },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    const [status] = await once(child, 'close');
    assert.equal(status, 0, `${Buffer.concat(output)}`);
    const { path, body } = server.counts.requests[0];
    return { path, body, output: `${Buffer.concat(output)}` };
  }

  const isPicture = async (number) => {
    const bytes = await readFile(join(folder, `picture-${number}.png`));
    await rm(join(folder, `picture-${number}.png`));
    return bytes.subarray(1, 4).toString() === 'PNG';
  };

  /** The programs that do not wait between two polls. */
  const PROGRAMS = {
    ai: ['picture.mjs', process.execPath, '--import', './redirect.mjs', 'picture.mjs'],
    curl: ['picture.sh', 'sh', '-c', 'sleep() { :; }; . ./picture.sh'],
    python: [
      'picture.py',
      'python3',
      '-c',
      'import runpy, time; time.sleep = lambda seconds: None; runpy.run_path("picture.py")',
    ],
  };

  for (const [name, [file, ...command]] of Object.entries(PROGRAMS)) {
    const baseUrl = () => (name === 'ai' ? undefined : server.url);

    test(`for ${name} sends exactly this request, and waits for its pictures`, async () => {
      const code = SAMPLES[name].write({ request: ODD, baseUrl: baseUrl() });
      const { path, body, output } = await run(file, code, command);
      assert.deepEqual([path, body], ['/v1/images/generations', ODD]);
      assert.ok(server.counts.polls > 0, 'it was a task');
      if (name === 'curl') assert.equal(JSON.parse(output).data.length, 2);
      else for (const number of [1, 2]) assert.ok(await isPicture(number));
    });

    test(`for ${name} sends the pictures of an edit`, async () => {
      const code = SAMPLES[name].write({ request: EDIT, sources: SOURCES, baseUrl: baseUrl() });
      const { path, body } = await run(file, code, command);
      assert.equal(path, '/v1/images/edits');
      const { image, mask, ...texts } = body;
      // A form holds nothing but texts.
      assert.deepEqual({ ...texts, n: Number(texts.n) }, EDIT);
      assert.deepEqual(
        [...image, ...mask].map(({ size }) => size),
        [BYTES.length, BYTES.length, BYTES.length],
      );
    });
  }

  test('names the other models to try where a client can', () => {
    const request = { model: 'm', prompt: 'A lemon', fallback: ['a', 'b'] };
    for (const [name, sample] of Object.entries(SAMPLES)) {
      const code = sample.write({ request });
      if (['curl', 'python'].includes(name)) assert.doesNotMatch(code, /fallback/);
      else assert.match(code, /\bfallback: \['a', 'b'\]/, name);
      assert.doesNotMatch(code, /prompt: 'A lemon',\s*fallback/, name);
    }
  });

  test('without the client names the service and the key as the others do', () => {
    for (const name of ['curl', 'python']) {
      const code = SAMPLES[name].write({ request: EDIT });
      assert.match(code, /https:\/\/api\.lemondata\.cc/);
      assert.match(code, /LEMONDATA_API_KEY/);
      const other = SAMPLES[name].write({ request: EDIT, baseUrl: 'https://api.tokenlab.sh' });
      assert.match(other, /https:\/\/api\.tokenlab\.sh/);
      assert.match(other, /TOKENLAB_API_KEY/);
    }
  });

  describe('for React', () => {
    let browser;
    before(async () => {
      browser = await launch();
    });
    after(() => browser.close());

    /** Opens the sample in a page, with a relay behind it. */
    async function open(call) {
      server.reset();
      const tools = ensureTools(join(root, 'tests', 'generations', 'react-19'));
      await writeFile(join(folder, 'sample.jsx'), SAMPLES.react.write(call));
      await writeFile(
        join(folder, 'main.jsx'),
        `import { createRoot } from 'react-dom/client';
        import { App } from './sample.jsx';
        createRoot(document.getElementById('root')).render(<App />);`,
      );
      await build({
        entryPoints: [join(folder, 'main.jsx')],
        bundle: true,
        format: 'esm',
        jsx: 'automatic',
        alias: {
          react: join(tools, 'react'),
          'react-dom': join(tools, 'react-dom'),
          'lemondata-wasm': join(root, 'dist'),
        },
        outfile: join(folder, 'main.js'),
        logLevel: 'warning',
      });
      const relay = createRelay({
        apiKey: server.apiKey,
        baseUrl: server.url,
        secret: 'a secret of the test, long enough to sign with',
        authorize: () => 'page',
        limiter: false,
        models: 'any',
        maxN: 10,
        extraFields: 'pass',
        user: false,
        store: memoryStore(),
      });
      const site = await serveSite(
        { '/main.js': join(folder, 'main.js') },
        '<!doctype html><title>React</title><div id="root"></div><script type="module" src="/main.js"></script>',
        { api: (c) => relay(c.req.raw) },
      );
      const page = await browser.newPage();
      await page.goto(site.url);
      return { page, close: () => Promise.all([page.close(), site.close()]) };
    }

    test('draws the pictures of the request', async () => {
      const request = { ...ODD, model: 'dall-e-2' };
      const app = await open({ request });
      try {
        await app.page.locator('img').nth(1).waitFor();
        assert.equal(await app.page.locator('img').first().getAttribute('alt'), request.prompt);
        assert.deepEqual(server.counts.requests[0].body, request);
      } finally {
        await app.close();
      }
    });

    test('edits the pictures of its form', async () => {
      const app = await open({ request: EDIT, sources: SOURCES });
      try {
        const file = (name) => ({ name, mimeType: 'image/png', buffer: BYTES });
        await app.page.setInputFiles('[name=image]', [file('a.png'), file('b.png')]);
        await app.page.setInputFiles('[name=mask]', file('mask.png'));
        await app.page.click('text=Draw');
        await app.page.locator('img').nth(1).waitFor();
        const { path, body } = server.counts.requests[0];
        assert.equal(path, '/v1/images/edits');
        assert.deepEqual([body.prompt, body.image.length, body.mask.length], [EDIT.prompt, 2, 1]);
      } finally {
        await app.close();
      }
    });
  });
});

describe('an exchange', () => {
  const LONG = BYTES.toString('base64').padEnd(4000, 'A');

  test('holds no keys, references, signatures or data', () => {
    assert.deepEqual(
      redact({
        task_id: 't_abc-1.def_2',
        poll_url: '/v1/tasks/t_abc-1.def_2',
        message: 'Bearer sk-abcdefgh123',
        data: [{ url: 'https://x.test/a.png?sig=1&x=2', n: 1 }, null],
      }),
      {
        task_id: '[reference]',
        poll_url: '/v1/tasks/[reference]',
        message: 'Bearer [key]',
        data: [{ url: 'https://x.test/a.png?…', n: 1 }, null],
      },
    );
    const body = JSON.stringify({ a: LONG, b: `data:image/png;base64,${LONG}`, c: LONG.slice(0, 100) });
    assert.deepEqual(JSON.parse(withoutData(body)), {
      a: '[3 KB of base64]',
      b: '[3 KB of base64]',
      c: LONG.slice(0, 100),
    });
    assert.equal(withoutData(`"${'A/'.repeat(2000).replaceAll('/', '\\/')}"`), '"[5 KB of base64]"');
    const large = 'A'.repeat(20_000_000);
    assert.equal(withoutData(`{"b64_json":"${large}"}`), '{"b64_json":"[15000 KB of base64]"}');
  });

  /** A generation whose requests were answered so. */
  async function generation(exchanges, more) {
    const rows = [];
    for (const [index, [init, response, row]] of exchanges.entries()) {
      const exchange = recordRequest('/api/v1/tasks/t_abc.def', init);
      if (response) {
        recordAnswer(exchange, response);
        // The client reads a stream by its events.
        if (exchange.answer.body === undefined) await response.text().catch(() => {});
      }
      rows.push({ kind: init.method ? 'create' : 'poll', number: index, at: index * 1500, exchange, ...row });
    }
    return {
      begunAt: 0,
      request: EDIT,
      snapshot: { phase: 'waiting', idempotencyKey: 'k-1', images: [] },
      timeline: { rows },
      isRunning: true,
      ...more,
    };
  }

  test('leaves the answer to the client, which reads it once', async () => {
    const exchange = recordRequest('/x', {});
    const response = Response.json({ b64_json: LONG });
    response.clone = () => assert.fail('a copy holds the picture twice');
    recordAnswer(exchange, response);
    assert.deepEqual(exchange.answer, { status: 200, headers: [['content-type', 'application/json']] });
    assert.deepEqual(JSON.parse(await response.text()), { b64_json: LONG });
    assert.equal(exchange.answer.body, '{"b64_json":"[3 KB of base64]"}');
    await assert.rejects(response.text(), 'it is read');
    assert.equal(exchange.answer.body, '[The answer broke off.]');
  });

  test('shows each request and its answer as they went over the wire', async () => {
    const json = (value, init) => Response.json(value, init);
    const create = {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'Idempotency-Key': 'k-1' },
      body: JSON.stringify({ prompt: 'A lemon', image_url: `data:image/png;base64,${LONG}` }),
    };
    const headers = { 'x-request-id': 'req_1', 'retry-after': '2', server: 'x' };
    const page = new Response(`<p>${'long '.repeat(1000)}`, { status: 502 });
    const shown = await generation([
      [create, json({ task_id: 't_abc.def', status: 'pending' }, { headers }), { ms: 120.4 }],
      [{}, json({ status: 'completed', data: [{ b64_json: LONG }] }), { ms: 5 }],
      [{}, page, { ms: 5 }],
      [{}, undefined, { isLost: true, ms: 3000 }],
      [{}, undefined, {}],
    ]);
    const [first, second, third, fourth, fifth] = exchangeText(shown).split('\n\n\n');
    assert.equal(
      first,
      `# Create, 0.0 s
POST /api/v1/tasks/[reference]
content-type: application/json
idempotency-key: k-1

{
  "prompt": "A lemon",
  "image_url": "[3 KB of base64]"
}

HTTP 200 after 120 ms
content-type: application/json
retry-after: 2
x-request-id: req_1

{
  "task_id": "[reference]",
  "status": "pending"
}`,
    );
    assert.match(
      second,
      /^# Poll 1, 1\.5 s\nGET .*\n\nHTTP 200 after 5 ms\n[\s\S]*"b64_json": "\[3 KB of base64\]"/,
    );
    assert.match(third, /HTTP 502 after 5 ms\n[\s\S]*<p>long /);
    assert.ok(third.length < 2200, 'a page is cut');
    assert.match(fourth, /\n\nNo answer after 3000 ms\.$/);
    assert.match(fifth, /\n\nNo answer yet\.$/);
  });

  test('names the parts of a form', async () => {
    const form = new FormData();
    form.append('prompt', 'A lemon');
    form.append('image', new File([new Uint8Array(2500)], 'lemon.png'));
    const response = Response.json({ data: [] });
    const shown = await generation([[{ method: 'POST', body: form }, response, { ms: 1 }]]);
    assert.match(
      exchangeText(shown),
      /content-type: multipart\/form-data\n\nprompt: A lemon\nimage: \[file lemon\.png, 3 KB\]\n\nHTTP 200/,
    );
  });

  test('does not wait for the end of a stream, and survives an answer that breaks off', async () => {
    const stream = (type, start) =>
      new Response(new ReadableStream({ start }), { headers: { 'content-type': type } });
    const shown = await generation([
      [{}, stream('text/event-stream', () => {}), {}],
      [{}, stream('application/json', (controller) => controller.error(new Error('broken'))), {}],
    ]);
    assert.match(exchangeText(shown), /\[a stream of events\][\s\S]*\[The answer broke off\.\]/);
  });

  test('of an earlier visit shows what is known', async () => {
    const error = { kind: 'wait_timeout', outcome: 'accepted', message: 'Too long.' };
    const unseen = await generation([], { sources: SOURCES });
    assert.match(
      exchangeText(unseen),
      /^# Create, before this visit\nPOST \/v1\/images\/edits\ncontent-type: multipart[\s\S]*idempotency-key: k-1\n\n[\s\S]*\[file mask\.png\][\s\S]*# So far\nNo answer yet\.$/,
    );
    const failed = await generation([[{}, Response.json({}), {}]], {
      isRunning: false,
      snapshot: { phase: 'failed', idempotencyKey: 'k-1', images: [], error },
    });
    const parts = exchangeText(failed).split('\n\n\n');
    assert.deepEqual(
      parts.map((part) => part.split('\n')[0]),
      ['# Create, before this visit', '# Poll 0, 0.0 s', '# Result'],
    );
    assert.match(parts[2], /"kind": "wait_timeout"/);
    assert.match(earlierText(failed), /"model": "gpt-image-2"/);
    const done = {
      phase: 'done',
      images: [{ url: 'https://x.test/a.png?sig=1' }],
      task: { task_id: 't_a.b' },
    };
    assert.deepEqual(JSON.parse(stateText(done)), {
      status: 'done',
      task_id: '[reference]',
      data: [{ url: 'https://x.test/a.png?…' }],
    });
  });
});

const studio = useStudio();
let app;
const code = () => app.$('#code-text').textContent();

describe('the drawer', GUARD, () => {
  test('stands beside a wide page, and follows the form', async () => {
    app = await studio.open({ viewport: { width: 1920, height: 1000 } });
    await app.page.click('#show-code');
    await app.$('#code-text').waitFor();
    assert.equal(await app.page.locator('dialog:modal').count(), 0);
    assert.match(await code(), /A lemon tree above a quiet sea/, 'an example, before there is a prompt');
    await app.page.click('#tab-python');
    await app.page.fill('#prompt', 'Two limes');
    await app.page.fill('#size', '1536x1024');
    assert.match(await code(), /"prompt": "Two limes",\n {4}"size": "1536x1024",/);
    await app.page.fill('#size', '12');
    assert.match(await app.$('#code-panel .note').textContent(), /^The form has a problem: Write it as/);
    assert.match(await code(), /1536x1024/);
    await app.look('code-drawer');
    const { right } = await app.$('#feed').evaluate((feed) => feed.getBoundingClientRect().toJSON());
    const { left } = await app.$('#code').evaluate((drawer) => drawer.getBoundingClientRect().toJSON());
    assert.ok(right <= left, 'it covers nothing');
    await app.page.focus('#tab-python');
    await app.page.keyboard.press('Escape');
    assert.equal(await app.$('#code').isVisible(), false);
  });

  test('is a dialog on a narrow page', async () => {
    app = await studio.open({ viewport: { width: 390, height: 844 } });
    await app.page.fill('#prompt', 'Two limes');
    await app.page.click('#show-code');
    await app.$('#code-text').waitFor();
    assert.equal(await app.page.locator('dialog#code:modal').count(), 1);
    await app.look('code-dialog');
    await app.page.goBack();
    await app.$('#code').waitFor({ state: 'hidden' });
  });

  test('shows the request of a card and its answer as they come', async () => {
    app = await studio.open({ viewport: { width: 1920, height: 1000 } });
    await app.generate('flux-pro');
    await app.state('Accepted as a task');
    await app.card.getByRole('button', { name: 'JSON' }).click();
    assert.match(
      await code(),
      /^# Create, 0\.\d s\nPOST http:[\d./:]+\/api\/lemondata\/v1\/images\/generations\n/,
    );
    assert.match(await code(), /\nidempotency-key: [\d-]+\n/);
    await app.$('#code-text', { hasText: '"status": "pending"' }).waitFor();
    assert.match(await code(), /\n\nHTTP 200 after \d+ ms\n[\s\S]*x-request-id: /);
    assert.ok((await code()).includes(PROMPT));
    assert.match(await code(), /"task_id": "\[reference\]"/);
    await app.advance(5000);
    await app.state('Processing');
    await app.$('#code-text', { hasText: '"status": "processing"' }).waitFor();
    assert.match(
      await code(),
      /\n# Poll 1, \d\.\d s\nGET http:[\d./:]+\/api\/lemondata\/v1\/[\w/]+\/\[reference\]\n/,
    );
    await app.advance(15_000);
    await app.state('Done');
    await app.$('#code-text', { hasText: '"status": "completed"' }).waitFor();
    assert.match(await code(), /"url": "http/);
    await app.look('code-exchange');
    await app.reload();
    await app.card.getByRole('button', { name: 'JSON' }).click();
    assert.match(
      await code(),
      /^# Create, before this visit\nPOST [\s\S]*# Result\n\{\n {2}"status": "done"/,
    );

    await app.generate('test-error-402');
    await app.state('The balance is used up');
    await app.card.locator('.code').first().click();
    assert.match(
      await code(),
      /HTTP 403 after[\s\S]*x-studio-account: 402 [\s\S]*"kind": "permission_denied"/,
    );
  });
});
