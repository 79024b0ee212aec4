/** The settings in the files of pictures: written, read back, and read from files of strangers. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PNG } from 'pngjs';
import { settingsIn, withSettings } from '../../www/picture-settings.js';
import { startServer } from '../server/index.js';
import { KEY, launch } from './studio.js';

const REQUEST = {
  model: 'flux-pro',
  prompt: 'Zitronen – レモン 🍋\n"quoted" <&amp;> \u2028 \u0000',
  size: '512x512',
  n: 2,
  seed: 7,
  expand_prompt: false,
  fallback: ['nano-banana', 'gpt-image-2'],
  tone: { warm: [true] },
};

const bytesOf = async (blob) => new Uint8Array(await blob.arrayBuffer());
const marked = async (bytes, request = REQUEST) => bytesOf(await withSettings(new Blob([bytes]), request));
const ascii = (text) => new TextEncoder().encode(text);
const join = (...pieces) => new Uint8Array(Buffer.concat(pieces));

/** Chunks of a PNG, a WebP, and segments of a JPEG, whose content does not matter. */
const uint32 = (value) => Uint8Array.from([value >>> 24, value >>> 16, value >>> 8, value]);
const chunk = (type, data) => join(uint32(data.length), ascii(type), data, uint32(0));
const riff = (type, data) =>
  join(ascii(type), uint32(data.length).reverse(), data, new Uint8Array(data.length % 2));
const webp = (...chunks) => riff('RIFF', join(ascii('WEBP'), ...chunks));
/** The chunk of a WebP with its image. */
function imageOf(bytes, type) {
  const file = Buffer.from(bytes);
  const at = file.indexOf(type);
  return riff(type, bytes.subarray(at + 8, at + 8 + file.readUInt32LE(at + 4)));
}
const segment = (marker, data) =>
  join(Uint8Array.from([0xff, marker, (data.length + 2) >> 8, data.length + 2]), data);

const png = new PNG({ width: 5, height: 3 });
png.data.fill(120);
const FILES = { png: new Uint8Array(PNG.sync.write(png)) };

/** Pictures as a browser encodes them. */
async function encode() {
  const browser = await launch();
  try {
    const page = await browser.newPage();
    const all = await page.evaluate(async () => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 300, height: 7 });
      const context = canvas.getContext('2d');
      context.fillStyle = 'rgb(240 200 60 / 50%)';
      context.fillRect(0, 0, 250, 5);
      const types = { jpeg: ['image/jpeg'], webp: ['image/webp', 0.8], lossless: ['image/webp', 1] };
      const files = {};
      for (const [name, [type, quality]] of Object.entries(types)) {
        const blob = await new Promise((resolve) => canvas.toBlob(resolve, type, quality));
        files[name] = [...new Uint8Array(await blob.arrayBuffer())];
      }
      return files;
    });
    for (const [name, bytes] of Object.entries(all)) FILES[name] = Uint8Array.from(bytes);
    // Chromium writes extended files. Other encoders write the image alone.
    FILES.simpleLossy = webp(imageOf(FILES.webp, 'VP8 '));
    FILES.simpleLossless = webp(imageOf(FILES.lossless, 'VP8L'));
  } finally {
    await browser.close();
  }
}

/** The pixels that a browser sees in files. */
async function decode(files) {
  const browser = await launch();
  try {
    const page = await browser.newPage();
    return await page.evaluate(
      (all) =>
        Promise.all(
          all.map(async (bytes) => {
            const bitmap = await createImageBitmap(new Blob([Uint8Array.from(bytes)]));
            const { width, height } = bitmap;
            const context = new OffscreenCanvas(width, height).getContext('2d');
            context.drawImage(bitmap, 0, 0);
            const { data } = context.getImageData(0, 0, width, height);
            return `${width} ${height} ${data}`;
          }),
        ),
      files.map((bytes) => [...bytes]),
    );
  } finally {
    await browser.close();
  }
}

describe('the settings of a picture', () => {
  test('are in the file of each format, and leave its pixels alone', { timeout: 300_000 }, async () => {
    await encode();
    assert.equal(Object.keys(FILES).length, 6);
    const files = await Promise.all(Object.values(FILES).map((bytes) => marked(bytes)));
    for (const [index, name] of Object.keys(FILES).entries()) {
      assert.equal(settingsIn(FILES[name]), undefined, name);
      assert.deepEqual(settingsIn(files[index]), REQUEST, name);
    }
    for (const file of files.slice(2)) {
      // The header of an extended WebP announces the packet.
      assert.equal(Buffer.from(file.subarray(12, 16)).toString(), 'VP8X');
      assert.ok(file[20] & 4);
    }
    assert.deepEqual(await decode(files), await decode(Object.values(FILES)));
  });

  test('are in each picture of the embedded server, whose chunks stay whole', async () => {
    const server = await startServer({ apiKey: KEY });
    try {
      for (const size of ['512x512', '1024x1536']) {
        const answer = await fetch(`${server.url}/v1/images/generations`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
          body: JSON.stringify({ model: 'dall-e-2', prompt: 'A lemon', size }),
        });
        const { data } = await answer.json();
        const bytes = await bytesOf(await (await fetch(data[0].url)).blob());
        const file = await marked(bytes);
        assert.deepEqual(settingsIn(file), REQUEST);
        // The library checks the sum of each chunk.
        const before = PNG.sync.read(Buffer.from(bytes));
        const after = PNG.sync.read(Buffer.from(file), { checkCRC: true });
        assert.ok(before.data.equals(after.data));
      }
    } finally {
      await server.close();
    }
  });

  test('survive a JPEG with a header, which stays the first', async () => {
    const header = segment(0xe0, ascii('JFIF\0'));
    const file = await marked(join(Uint8Array.from([0xff, 0xd8]), header, segment(0xda, ascii('scan'))));
    assert.deepEqual([...file.subarray(2, 2 + header.length)], [...header]);
    assert.deepEqual(settingsIn(file), REQUEST);
    const long = { prompt: 'x', extra: 'y'.repeat(70_000) };
    assert.equal(settingsIn(await marked(file.slice(0, 2), long)), undefined, 'no segment has room for them');
  });

  test('are added to no file that is signed, or that has an XMP packet', async () => {
    const signature = new Uint8Array(9);
    const header = FILES.png.subarray(0, 33);
    for (const file of [
      join(header, chunk('caBX', signature), FILES.png.subarray(33)),
      join(Uint8Array.from([0xff, 0xd8]), segment(0xeb, signature), segment(0xda, signature)),
      webp(riff('VP8X', new Uint8Array(10)), riff('VP8 ', signature), riff('C2PA', signature)),
      webp(riff('VP8X', new Uint8Array(10)), riff('VP8 ', signature), riff('XMP ', signature)),
      ascii('<svg xmlns="http://www.w3.org/2000/svg"/>'),
      new Uint8Array(),
    ]) {
      assert.deepEqual(await marked(file), new Uint8Array(file));
    }
  });

  test('are read from no file that ends too early, and never throw', async () => {
    for (const bytes of Object.values(FILES)) {
      const whole = await marked(bytes);
      for (let length = 0; length < whole.length; length += 1) {
        const found = settingsIn(whole.subarray(0, length));
        assert.ok(found === undefined || found.prompt === REQUEST.prompt, `${length} bytes`);
        await withSettings(new Blob([whole.subarray(0, Math.min(length, 64))]), REQUEST);
      }
    }
  });

  test('are read from no file with wrong bytes, and never throw', async () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed;
    };
    for (const bytes of Object.values(FILES)) {
      const whole = await marked(bytes);
      for (let round = 0; round < 300; round += 1) {
        const broken = whole.slice();
        for (let change = 0; change < 4; change += 1) broken[random() % 200] = random() % 256;
        settingsIn(broken);
        await withSettings(new Blob([broken]), REQUEST);
      }
    }
  });

  test('of a stranger are what the form would let a person send', async () => {
    const hostile = async (request) => {
      const text = join(ascii('lemondata-wasm\0'), ascii(JSON.stringify(request)));
      return settingsIn(join(FILES.png.subarray(0, 33), chunk('tEXt', text), FILES.png.subarray(33)));
    };
    assert.deepEqual(await hostile({ prompt: 'A lemon', n: 10_000, seed: 'x', size: '1x', quality: 'hd' }), {
      model: 'gpt-image-2',
      prompt: 'A lemon',
      size: '1024x1024',
      quality: 'hd',
    });
    for (const request of [
      null,
      7,
      'x',
      [],
      {},
      { prompt: '' },
      { prompt: {} },
      { prompt: ['x'] },
      { prompt: 'x'.repeat(4001) },
      { prompt: 'x', model: { toString: 1 } },
    ]) {
      assert.equal(await hostile(request), undefined, JSON.stringify(request));
    }
    const polluted = await hostile(JSON.parse('{"prompt":"x","__proto__":{"polluted":1}}'));
    assert.equal(polluted.polluted, undefined);
    assert.equal({}.polluted, undefined);
    for (const [type, text] of [
      ['tEXt', 'Comment\0{"prompt":"x"}'],
      ['tEXt', 'lemondata-wasm\0{"prompt":'],
      ['zTXt', 'lemondata-wasm\0{"prompt":"x"}'],
    ]) {
      const file = join(FILES.png.subarray(0, 33), chunk(type, ascii(text)), FILES.png.subarray(33));
      assert.equal(settingsIn(file), undefined, text);
    }
  });
});
