/** Edits, and the pictures that a request brings: as URLs and as the files of a form. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { PNG } from 'pngjs';
import { clock, create, edit, errorOf, get, json, start, TASK_MS } from './help.js';

const RED = [250, 10, 20];
const BLUE = [10, 20, 250];

/** A PNG of one colour, transparent in its right half where it is a mask. */
function png([red, green, blue], { side = 32, isMask = false } = {}) {
  const picture = new PNG({ width: side, height: side });
  for (let at = 0; at < side * side; at += 1) {
    const alpha = isMask && at % side >= side / 2 ? 0 : 255;
    picture.data.set([red, green, blue, alpha], at * 4);
  }
  return PNG.sync.write(picture);
}

const file = (bytes, type = 'image/png') => new Blob([bytes], { type });
const dataUrl = (bytes) => `data:image/png;base64,${bytes.toString('base64')}`;
const BASE = { model: 'gpt-image-2', prompt: 'a lemon', size: '64x64' };

function form(entries, fields = BASE) {
  const made = new FormData();
  for (const [name, value] of [...Object.entries(fields), ...entries]) made.append(name, value);
  return made;
}

/** The colour of a drawn picture, where both coordinates run from 0 to 1. */
async function colourAt({ url, b64_json }, x, y) {
  const bytes = b64_json
    ? Buffer.from(b64_json, 'base64')
    : Buffer.from(await (await fetch(url)).arrayBuffer());
  const { width, height, data } = PNG.sync.read(bytes);
  const at = (Math.floor(y * height) * width + Math.floor(x * width)) * 4;
  return [...data.subarray(at, at + 3)];
}

describe('an edit', () => {
  let server;
  before(async () => {
    server = await start();
  });

  const pictureOf = async (response) => (await json(response)).data[0];

  test('shows the picture, whichever way it comes', async () => {
    const red = png(RED);
    const { data } = await json(
      await create(server, { prompt: 'x', image_url: dataUrl(red), size: '32x32' }),
    );
    const ways = {
      image_url: { ...BASE, image_url: dataUrl(red) },
      image_urls: { ...BASE, image_urls: [dataUrl(red)] },
      images: { ...BASE, images: [{ image_url: dataUrl(red) }] },
      'image of a form': form([['image', file(red)]]),
      'image[] of a form': form([['image[]', file(red)]]),
    };
    for (const [way, body] of Object.entries(ways)) {
      assert.deepEqual(await colourAt(await pictureOf(await edit(server, body)), 0.1, 0.1), RED, way);
    }
    // A picture of this server is read where it lies.
    const again = await pictureOf(await edit(server, { ...BASE, image_url: data[0].url }));
    assert.deepEqual(await colourAt(again, 0.02, 0.02), RED);
    assert.equal(server.counts.edits, 6);
    assert.equal(server.counts.creates, 7);
  });

  test('shows several pictures beside each other', async () => {
    const picture = await pictureOf(
      await edit(
        server,
        form([
          ['image', file(png(RED))],
          ['image', file(png(BLUE))],
        ]),
      ),
    );
    assert.deepEqual(await colourAt(picture, 0.1, 0.1), RED);
    assert.deepEqual(await colourAt(picture, 0.35, 0.1), BLUE);
  });

  test('keeps the picture where the mask is opaque', async () => {
    const mask = png([0, 0, 0], { isMask: true });
    for (const body of [
      { ...BASE, image_url: dataUrl(png(RED)), mask: { image_url: dataUrl(mask) } },
      { ...BASE, image_url: dataUrl(png(RED)), mask_url: dataUrl(mask) },
      form([
        ['image', file(png(RED))],
        ['mask', file(mask)],
      ]),
    ]) {
      const picture = await pictureOf(await edit(server, body));
      assert.deepEqual(await colourAt(picture, 0.2, 0.5), RED);
      assert.notDeepEqual(await colourAt(picture, 0.8, 0.5), RED);
    }
  });

  test('shows a sign of a picture that it cannot read', async () => {
    const sources = ['https://x.test/1.png', 'https://x.test/2.png', 'data:image/png;base64,iVBORw0KGgo='];
    const drawn = [];
    for (const image_url of sources) {
      const { b64_json } = await pictureOf(
        await edit(server, { ...BASE, image_url, response_format: 'b64_json' }),
      );
      drawn.push(b64_json);
    }
    const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16]);
    const webp = Buffer.from('RIFF0000WEBP');
    for (const bytes of [jpeg, webp]) {
      const body = form([
        ['image', file(bytes)],
        ['response_format', 'b64_json'],
      ]);
      drawn.push((await pictureOf(await edit(server, body))).b64_json);
    }
    assert.equal(new Set(drawn).size, drawn.length);
  });

  test('reads the texts of a form as JSON would say them', async () => {
    const fields = {
      n: '2',
      seed: '-7',
      async: 'false',
      output_compression: '50',
      response_format: 'b64_json',
    };
    const { data } = await json(
      await edit(server, form([['image', file(png(RED))], ...Object.entries(fields)])),
    );
    assert.equal(data.length, 2);
    for (const [name, value] of [
      ['n', '0'],
      ['n', 'two'],
      ['async', 'yes'],
      ['seed', '1.5'],
      ['prompt', ' '],
    ]) {
      const body = form([['image', file(png(RED))]], { ...BASE, [name]: value });
      const error = await errorOf(await edit(server, body), 400, 'invalid_request_error');
      assert.equal(error.param, name, value);
    }
  });

  test('may be a task', async () => {
    const body = form([
      ['image', file(png(RED))],
      ['async', 'true'],
    ]);
    const { status, poll_url } = await json(await edit(server, body));
    assert.equal(status, 'pending');
    clock.ms += TASK_MS;
    const { data } = await json(await get(server, poll_url));
    assert.deepEqual(await colourAt(data[0], 0.1, 0.1), RED);
    assert.equal(
      (await json(await edit(server, { ...BASE, model: 'flux-2-pro', image_url: 'https://x.test/1' })))
        .status,
      'pending',
    );
  });

  test('takes the scenarios and scripts of a create', async () => {
    const body = { ...BASE, image_url: 'https://x.test/1.png' };
    await errorOf(await edit(server, { ...body, model: 'test-error-402' }), 402, 'insufficient_balance');
    await errorOf(await edit(server, body, { 'x-lemon-scenario': 'error-500' }), 500, 'server_error');
    server.next({ on: 'create', reply: { status: 418, body: {} } });
    assert.equal((await edit(server, body)).status, 418);
  });

  test('is refused where a field is missing or wrong', async () => {
    const image_url = 'https://x.test/1.png';
    const image = ['image', file(png(RED))];
    for (const [body, param, code] of [
      [{ prompt: 'x', image_url }, 'model', 'required'],
      [{ model: 'gpt-image-2', image_url }, 'prompt', 'required'],
      [BASE, 'image_url', 'required'],
      [{ ...BASE, image_url, image_urls: [image_url] }, 'image_url', 'required'],
      [{ ...BASE, images: [] }, 'images', 'invalid_type'],
      [{ ...BASE, images: Array(17).fill({ image_url }) }, 'images', 'invalid_type'],
      [{ ...BASE, images: [{ image_url, file_id: 'file_1' }] }, 'images', 'invalid_type'],
      [{ ...BASE, images: [{ url: image_url }] }, 'images', 'invalid_type'],
      [{ ...BASE, images: [{ image_url: 'x.png' }] }, 'images', 'invalid_url'],
      [{ ...BASE, image_url, mask: image_url }, 'mask', 'invalid_type'],
      [form([]), 'image', 'required'],
      [form([['mask', file(png(RED))]]), 'image', 'required'],
      [form([['image_url', image_url]]), 'image', 'required'],
      [form([image, ['image_url', image_url]]), 'image', 'required'],
      [form([image, ['picture', file(png(RED))]]), 'picture', 'unrecognized_key'],
      [form([['image', file('<svg/>', 'image/svg+xml')]]), 'image', 'invalid_image'],
      [form([['image', file('')]]), 'image', 'invalid_image'],
      [form(Array(17).fill(image)), 'image', 'too_big'],
      [form([image, ['mask', file(png(RED))], ['mask', file(png(RED))]]), 'mask', 'too_big'],
      [form([image, ['prompt', 'again']]), 'prompt', 'invalid_value'],
    ]) {
      const { error, validation_errors } = await json(await edit(server, body), 400);
      assert.deepEqual([error.param, validation_errors[0].code], [param, code], JSON.stringify(body));
    }
    const files = Array(16).fill(image);
    assert.equal((await edit(server, form(files))).status, 200);
    assert.equal((await edit(server, { ...BASE, images: [{ file_id: 'file_1' }] })).status, 200);
  });

  test('is refused by a model that does not edit', async () => {
    const body = { ...BASE, model: 'dall-e-3', image_url: 'https://x.test/1.png' };
    const error = await errorOf(await edit(server, body), 400, 'invalid_request_error');
    assert.deepEqual(error.supported_operations, ['text-to-image']);
  });

  test('is kept in the record with a digest in place of each file', async () => {
    const red = png(RED);
    const sha256 = createHash('sha256').update(red).digest('hex');
    await edit(
      server,
      form([
        ['image', file(red), 'red.png'],
        ['image', file(red)],
      ]),
    );
    const { body } = server.counts.requests.at(-1);
    const described = { type: 'image/png', size: red.length, sha256 };
    assert.deepEqual(body, {
      ...BASE,
      image: [
        { filename: 'blob', ...described },
        { filename: 'blob', ...described },
      ],
    });
  });
});

describe('a generation', () => {
  let server;
  before(async () => {
    server = await start();
  });

  test('takes a picture in a form, and lists of URLs between commas', async () => {
    const body = form([
      ['image', file(png(RED))],
      ['image_urls', 'https://x.test/1.png, https://x.test/2.png'],
    ]);
    const [picture] = (await json(await create(server, body))).data;
    assert.deepEqual(await colourAt(picture, 0.1, 0.1), RED);
    for (const wrong of [
      form([
        ['image', file(png(RED))],
        ['image', file(png(RED))],
      ]),
      form([['mask', file(png(RED))]]),
      form([['image_urls', 'x.png,y.png']]),
    ]) {
      await errorOf(await create(server, wrong), 400, 'invalid_request_error');
    }
    assert.equal((await create(server, form([]))).status, 200, 'a form without files');
  });

  test('shows its references', async () => {
    for (const field of ['image_urls', 'reference_image_urls']) {
      const request = { ...BASE, [field]: [dataUrl(png(BLUE)), dataUrl(png(RED))] };
      const [picture] = (await json(await create(server, request))).data;
      assert.deepEqual(await colourAt(picture, 0.1, 0.1), BLUE, field);
      assert.deepEqual(await colourAt(picture, 0.35, 0.1), RED, field);
    }
  });

  test('has the size that ratio and resolution say', async () => {
    for (const [fields, expected] of [
      [{ aspect_ratio: '16:9' }, [1024, 576]],
      [{ aspect_ratio: '9:16', resolution: '2K', size: 'auto' }, [1152, 2048]],
      [{ aspect_ratio: 'auto' }, [1024, 1024]],
      [{ aspect_ratio: '0:1' }, [1024, 1024]],
      [{ aspect_ratio: '16:9', size: '20x10' }, [20, 10]],
    ]) {
      const request = { prompt: 'x', response_format: 'b64_json', ...fields };
      const [{ b64_json }] = (await json(await create(server, request))).data;
      const { width, height } = PNG.sync.read(Buffer.from(b64_json, 'base64'));
      assert.deepEqual([width, height], expected, JSON.stringify(fields));
    }
  });
});
