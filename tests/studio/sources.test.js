/** Reference pictures in the studio: chosen in the form, sent as an edit or with a create, kept over a reload. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { PNG } from 'pngjs';
import { until, useStudio } from './studio.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 300_000 };

/** A picture of one colour. */
function picture(name, red) {
  const png = new PNG({ width: 32, height: 32 });
  for (let offset = 0; offset < png.data.length; offset += 4) png.data.set([red, 40, 10, 255], offset);
  return { name, mimeType: 'image/png', buffer: PNG.sync.write(png) };
}

const LEMON = picture('lemon.png', 90);
const LIME = picture('lime.png', 200);
const sha256 = ({ buffer }) => createHash('sha256').update(buffer).digest('hex');
/** A file as the embedded server records it. The relay gives files names of its own. */
const received = (file) => ({ type: 'image/png', size: file.buffer.length, sha256: sha256(file) });
/** The files in a field of a create. */
const filesOf = (body, field) => body[field].map(({ type, size, sha256 }) => ({ type, size, sha256 }));

const studio = useStudio();
let app;

async function choose(files, action = 'edit') {
  await app.page.click('text=Reference pictures');
  await app.page.setInputFiles('#pictures', files);
  await app.page.check(`[name=action][value=${action}]`, { force: true });
}

describe('an edit', GUARD, () => {
  test('sends the chosen pictures and the mask, and is kept as one', async () => {
    app = await studio.open();
    await choose([LEMON, LIME]);
    await app.page.setInputFiles('#mask', LIME);
    assert.equal(await app.$('#previews img').count(), 2);
    await app.generate('gpt-image-2');
    await app.state('Done');
    assert.equal(app.server.counts.edits, 1);
    const [{ path, body }] = app.creates();
    assert.equal(path, '/v1/images/edits');
    assert.deepEqual(filesOf(body, 'image'), [LEMON, LIME].map(received));
    assert.deepEqual(filesOf(body, 'mask'), [received(LIME)]);
    assert.equal(body.model, 'gpt-image-2');
    assert.match(await app.card.locator('.meta').textContent(), /an edit$/);
    await app.card.locator('.code').click();
    const code = await app.$('#code-text').textContent();
    assert.match(code, /editAndWait\(/);
    await app.page.click('#tab-node');
    assert.match(
      await app.$('#code-text').textContent(),
      /openAsBlob\('lime\.png', { type: 'image\/png' }\)/,
    );
  });

  test('may be answered with a task', async () => {
    app = await studio.open();
    await choose([LEMON]);
    await app.generate('nano-banana-pro', { size: 'auto' });
    await app.state('Accepted as a task');
    await app.advance(20_000);
    await app.state('Done');
    assert.equal(app.server.counts.edits, 1);
  });

  test('is sent again with its pictures after a reload, and carried out once', async () => {
    app = await studio.open();
    await choose([LEMON]);
    await app.generate('test-hang');
    await until(() => app.server.counts.edits === 1);
    await app.reload();
    await app.state('Waiting for the answer');
    assert.equal(app.server.counts.edits, 1);
    await app.page.click('text=Stop waiting');
    await app.state('Stopped waiting');
    await app.page.click('text=Generate again');
    await until(() => app.server.counts.edits === 2);
    for (const { body } of app.creates()) assert.deepEqual(filesOf(body, 'image'), [received(LEMON)]);
  });
});

test('a new picture is drawn from a reference', GUARD, async () => {
  app = await studio.open();
  await choose([LEMON], 'generate');
  await app.generate('gpt-image-2');
  await app.state('Done');
  assert.equal(app.server.counts.edits, 0);
  const [{ path, body }] = app.creates();
  assert.equal(path, '/v1/images/generations');
  assert.deepEqual(filesOf(body, 'image'), [received(LEMON)]);
  assert.match(await app.card.locator('.meta').textContent(), /with a reference$/);
});

test('files that are no pictures are not sent, and can be removed', GUARD, async () => {
  app = await studio.open();
  const problem = (text) => app.$('#pictures-problem', { hasText: text }).waitFor();
  const refused = app.$('#previews .refused');
  // A photo of a telephone, under the name of a JPEG, and a download that broke off.
  const heic = { name: 'photo.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('\0\0\0\x18ftypheic') };
  const broken = { ...LEMON, name: 'broken.png', buffer: LEMON.buffer.subarray(0, 20) };
  await choose([LEMON, heic, broken]);
  await problem(/^photo\.jpg cannot be read as a picture\.$/);
  await app.page.fill('#prompt', 'A lemon');
  await app.page.click('text=Generate >> visible=true');
  assert.equal(await app.page.evaluate(() => document.activeElement.id), 'pictures');
  assert.equal(await app.$('#previews img').count(), 1);
  assert.equal(await refused.count(), 2);
  await app.page.click('[aria-label="Remove photo.jpg"]');
  await problem(/^broken\.png cannot/);
  await app.page.click('[aria-label="Remove broken.png"]');
  assert.equal(await app.$('#pictures-problem').textContent(), '');
  assert.equal(await refused.count(), 0);
  // A system that does not know the type names none.
  await app.page.evaluate(() => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(['x'], 'photo.heic'));
    const event = new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer });
    document.getElementById('prompt').dispatchEvent(event);
  });
  await problem(/^photo\.heic is not a PNG, JPEG or WebP\.$/);
  await app.page.setInputFiles('#mask', broken);
  await app.$('#mask-problem', { hasText: /^broken\.png cannot/ }).waitFor();
  assert.equal(app.server.counts.creates, 0);
});

test('files that the service would refuse are not sent', GUARD, async () => {
  app = await studio.open();
  const problem = () => app.$('#pictures-problem').textContent();
  await choose([{ ...LEMON, name: 'lemon.gif', mimeType: 'image/gif' }]);
  assert.equal(await problem(), 'lemon.gif is not a PNG, JPEG or WebP.');
  await app.page.fill('#prompt', 'A lemon');
  await app.page.click('text=Generate >> visible=true');
  assert.equal(await app.page.evaluate(() => document.activeElement.id), 'pictures');
  await app.page.setInputFiles('#pictures', [LEMON, LIME]);
  assert.equal(await problem(), '');
  await app.page.check('[name=action][value=generate]', { force: true });
  assert.match(await problem(), /takes one reference/);
  await app.page.click('text=Generate >> visible=true');
  assert.equal(app.server.counts.creates, 0);
});
