/** The documented fields of a create: each passes if it holds what it may hold, and is refused by name otherwise. */

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { PROMPT, relays, useServer } from './harness.js';

const URL_1 = 'https://pictures.example/1.png?signature=a%20b';
const URL_2 = 'HTTPS://pictures.example/2.jpg';
const PNG = `data:image/png;base64,${Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').toString('base64')}`;
const word = 'x'.repeat(32);
const urls = (count) => Array.from({ length: count }, (_, index) => `https://pictures.example/${index}.png`);

useServer();
let sent;
beforeEach(() => {
  sent = [];
});

/** A service that takes any request. */
const fetch = async (_url, { body }) => {
  sent.push(JSON.parse(await new Response(body).text()));
  return Response.json({ data: [{ url: 'https://cdn.example/1.png' }] });
};
const make = (options) => relays.make({ fetch, ...options });

const NO_TEXTS = [5, true, {}, ['x']];
const NO_URLS = [
  ...NO_TEXTS,
  '',
  'x',
  '/1.png',
  'http://pictures.example/1.png',
  'ftp://pictures.example/1.png',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'blob:https://pictures.example/1',
  ' https://pictures.example/1.png',
  'https://pictures.example/1.png\n',
  'https://pictures.example/a b.png',
  'https://user:password@pictures.example/1.png',
  'https://user@pictures.example/1.png',
  'https://',
  `https://pictures.example/${'x'.repeat(5000)}`,
  'data:,x',
  'data:text/html;base64,PHA+',
  'data:image/png,x',
  'data:image/png;base64,',
  'data:image/png;base64,AAAA',
  `data:image/svg+xml;base64,${Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>').toString('base64')}`,
  `${PNG}%00`,
];

describe('a documented field', () => {
  for (const [name, good, bad] of [
    ...[
      ...['quality', 'style', 'response_format', 'operation', 'aspect_ratio', 'resolution', 'background'],
      ...['output_format', 'moderation'],
    ].map((field) => [field, ['', 'auto', '16:9', word], [...NO_TEXTS, `${word}x`]]),
    ['size', ['auto', '3840x2160'], [...NO_TEXTS, '', 'large', '1x1']],
    ['negative_prompt', ['', 'no limes', 'x'.repeat(4000)], [...NO_TEXTS, 'x'.repeat(4001)]],
    ['seed', [0, -1, 2 ** 53 - 1], [1.5, '1', true, {}, 2 ** 53]],
    ['n', [1, 4], [0, 5, '1', 1.5]],
    ['output_compression', [0, 100], [-1, 101, 1.5, '50']],
    ['expand_prompt', [true, false], [0, 'true', {}]],
    ['async', [true, false], [1, 'false', []]],
    ['stream', [false], [true, 'false', 0]],
    ['image_url', [URL_1, URL_2, PNG], NO_URLS],
    ['mask_url', [URL_1, PNG], NO_URLS],
    [
      'image_urls',
      [[URL_1], [URL_1, PNG], urls(16)],
      [URL_1, [], urls(17), ...NO_URLS.map((url) => [URL_1, url])],
    ],
    ['reference_image_urls', [[URL_1]], [URL_1, [], urls(17), ...NO_URLS.map((url) => [url])]],
  ]) {
    test(name, async () => {
      const relay = make();
      for (const value of good) {
        const { status, text } = await relays.create(relay, { [name]: value });
        assert.equal(status, 200, `${JSON.stringify(value)}: ${text}`);
        assert.deepEqual(sent.at(-1)[name], value);
      }
      const passed = sent.length;
      for (const value of bad) {
        const { status, body } = await relays.create(relay, { [name]: value });
        assert.equal(status, 400, JSON.stringify(value)?.slice(0, 100));
        assert.equal(body.error.param, name);
        assert.ok(body.error.message.startsWith(`${name} must be `), body.error.message);
      }
      assert.equal(sent.length, passed);
    });
  }

  test('that is null is absent', async () => {
    await relays.create(make(), { seed: null, image_urls: null, n: null });
    assert.deepEqual(sent, [{ prompt: PROMPT, n: 1, user: 'ann' }]);
  });

  test('is refused with what it may be', async () => {
    for (const [fields, message] of [
      [{ n: 9 }, 'n must be a whole number from 1 to 4.'],
      [{ prompt: '' }, 'prompt must be a text of 1 to 4000 characters.'],
      [{ size: 'large' }, "size must be 'auto' or WIDTHxHEIGHT, such as 1024x1024."],
      [{ async: 1 }, 'async must be true or false.'],
      [{ stream: true }, 'stream must be false: the service streams no pictures.'],
      [{ quality: 5 }, 'quality must be a text of at most 32 characters.'],
      [
        { image_url: 'http://x.example/1.png' },
        'image_url must be the https: URL of a picture, or a data: URL with the base64 of one.',
      ],
      [
        { image_urls: [] },
        'image_urls must be a list of 1 to 16, each the https: URL of a picture, or a data: URL with the base64 of one.',
      ],
    ]) {
      assert.equal((await relays.create(make(), fields)).body.error.message, message);
    }
  });
});

test('a data: URL passes up to the size of a file', async () => {
  const bytes = Buffer.alloc(300);
  Buffer.from('89504e470d0a1a0a', 'hex').copy(bytes);
  const image_url = `data:image/png;base64,${bytes.toString('base64')}`;
  assert.equal((await relays.create(make({ maxFileBytes: 300 }), { image_url })).status, 200);
  assert.equal((await relays.create(make({ maxFileBytes: 299 }), { image_url })).status, 400);
});

test('the fields of an edit are none of a create', async () => {
  for (const fields of [{ images: [{ image_url: URL_1 }] }, { mask: { image_url: URL_1 } }]) {
    const { body } = await relays.create(make(), fields);
    assert.match(body.error.message, /does not know the field "(images|mask)"/);
  }
});
