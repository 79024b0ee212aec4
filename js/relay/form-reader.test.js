/** The reader of forms: what it reads, however the bytes arrive, and what it refuses. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFormReader } from './form-reader.js';

const BOUNDARY = '----a-boundary';
const LIMITS = { maxTextBytes: 1000, maxFiles: 2, maxFileBytes: 100 };
const PNG = Buffer.concat([
  Buffer.from('89504e470d0a1a0a', 'hex'),
  Buffer.from('\r\n------a-boundar\r\n--\r\n\0'),
]);
const JPEG = Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), Buffer.alloc(20, 7)]);

const part = (disposition, content, more = '') =>
  Buffer.concat([
    Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; ${disposition}\r\n${more}\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
const END = Buffer.from(`--${BOUNDARY}--\r\n`);
const form = (...parts) => Buffer.concat([...parts, END]);

const refusal = (status, message) => (error) => error.status === status && error.message === message;

/** Reads a form in pieces of a size. */
async function read(bytes, size = bytes.length, limits = LIMITS) {
  const reader = createFormReader(BOUNDARY, limits);
  for (let at = 0; at < bytes.length; at += size) {
    reader.push(new Uint8Array(bytes.subarray(at, at + size)));
  }
  const { content, files } = reader.end();
  return {
    content,
    files: await Promise.all(
      files.map(async ({ name, blob }) => [name, blob.type, Buffer.from(await blob.arrayBuffer())]),
    ),
  };
}

const MIXED = form(
  part('name="prompt"', 'A lemon, größer\r\n--'),
  part('name="image"; filename="the picture.png"', PNG, 'Content-Type: text/html\r\n'),
  part('name=n', '2'),
  part('name="image[]"; filename=b.jpg', JPEG),
  part('name="empty"', ''),
);
const EXPECTED = {
  content: { prompt: 'A lemon, größer\r\n--', n: '2', empty: '' },
  files: [
    ['image', 'image/png', PNG],
    ['image', 'image/jpeg', JPEG],
  ],
};

test('texts and files are read, however the bytes arrive', async () => {
  for (let size = 1; size <= MIXED.length; size += 1) {
    assert.deepEqual(await read(MIXED, size), EXPECTED, `in pieces of ${size}`);
  }
});

test('a file that comes byte by byte is kept in few pieces', async (t) => {
  const content = Buffer.concat([PNG, Buffer.alloc(200_000, 'ab\r\n')]);
  const pieces = t.mock.method(globalThis, 'File');
  const bytes = form(part('name="image"; filename=a.png', content));
  const { files } = await read(bytes, 1, { ...LIMITS, maxFileBytes: 1_000_000 });
  assert.deepEqual(files, [['image', 'image/png', content]]);
  const [[parts]] = pieces.mock.calls.map((call) => call.arguments);
  assert.ok(parts.length < 50, `${parts.length} pieces`);
});

test('what follows the end is ignored', async () => {
  assert.deepEqual(await read(Buffer.concat([MIXED, Buffer.from('epilogue')]), 5), EXPECTED);
});

test('what precedes the first boundary is ignored', async () => {
  for (const preamble of [
    '\r\n',
    '\r\n\r\n',
    'MIME-Version: 1.0\r\n\r\nThis is a form.\r\n',
    `${'x'.repeat(2000)}\r\n`,
  ]) {
    for (const size of [1, 7, 1e6]) {
      assert.deepEqual(await read(Buffer.concat([Buffer.from(preamble), MIXED]), size), EXPECTED, preamble);
    }
  }
});

test('blanks behind a boundary are ignored', async () => {
  const padded = MIXED.toString('latin1').replaceAll(`--${BOUNDARY}\r\n`, `--${BOUNDARY} \t\r\n`);
  for (const size of [1, 7, 1e6]) assert.deepEqual(await read(Buffer.from(padded, 'latin1'), size), EXPECTED);
});

describe('a text', () => {
  test('is read by its charset', async () => {
    for (const [charset, encoding] of [
      ['utf-8', 'utf8'],
      ['UTF-8', 'utf8'],
      ['"utf-8"', 'utf8'],
      ['ISO-8859-1', 'latin1'],
      ['utf-16le', 'utf16le'],
    ]) {
      const type = `Content-Type: text/plain; format=flowed; charset=${charset}\r\n`;
      const { content } = await read(form(part('name="prompt"', Buffer.from('größer', encoding), type)), 3);
      assert.deepEqual(content, { prompt: 'größer' }, charset);
    }
  });

  test('or a file that is encoded as in mail is refused by its name', async () => {
    const header = (encoding) => `content-Transfer-Encoding: ${encoding}\r\n`;
    for (const encoding of ['base64', 'BASE64', 'quoted-printable', 'x-gzip']) {
      const message = 'prompt must be sent as it is, without a Content-Transfer-Encoding.';
      await assert.rejects(
        read(form(part('name="prompt"', 'QSBsZW1vbg==', header(encoding)))),
        refusal(400, message),
      );
      const file = part('name="image[]"; filename="a.png"', PNG.toString('base64'), header(encoding));
      await assert.rejects(read(form(file)), (error) => error.status === 400);
    }
    for (const encoding of ['7bit', '8bit', 'Binary', ' binary ', '']) {
      const { content } = await read(form(part('name="prompt"', 'A lemon', header(encoding))));
      assert.deepEqual(content, { prompt: 'A lemon' }, encoding);
    }
  });
});

test('a field for a file that the user left empty is none', async () => {
  const empty = part('name="mask"; filename=""', '', 'Content-Type: application/octet-stream\r\n');
  assert.deepEqual(await read(form(empty)), { content: {}, files: [] });
});

test('the first bytes tell the type', async () => {
  for (const [type, hex] of [
    ['image/png', '89504e470d0a1a0a'],
    ['image/jpeg', 'ffd8ffe1'],
    ['image/webp', '52494646aabbccdd57454250'],
    ['image/gif', '474946383961'],
    ['image/avif', '0000001c6674797061766966'],
  ]) {
    const bytes = Buffer.concat([Buffer.from(hex, 'hex'), Buffer.alloc(16)]);
    const { files } = await read(form(part('name="image"; filename="x.txt"', bytes)), 3);
    assert.equal(files[0][1], type);
  }
});

describe('limits', () => {
  const sized = (length) => Buffer.concat([JPEG, Buffer.alloc(length - JPEG.length)]);

  test('a file ends the form at the byte that is too much', async () => {
    const message = 'image must not be larger than 100 bytes.';
    await read(form(part('name="image"; filename="a"', sized(100))));
    const reader = createFormReader(BOUNDARY, LIMITS);
    const bytes = part('name="image"; filename="a"', sized(1000));
    const start = bytes.indexOf(JPEG);
    const pushTo = (from, to) => {
      for (let at = from; at < to; at += 1) reader.push(new Uint8Array(bytes.subarray(at, at + 1)));
    };
    // The last bytes might be the beginning of a boundary.
    const margin = BOUNDARY.length + 4;
    pushTo(0, start + 100 + margin - 1);
    assert.throws(() => pushTo(start + 100 + margin - 1, start + 100 + margin), refusal(413, message));
  });

  test('one file too many ends it at its first bytes', async () => {
    const file = part('name="image"; filename="a"', JPEG);
    await read(form(file, file));
    await assert.rejects(
      read(form(file, file, file)),
      refusal(413, 'A request must not hold more than 2 files.'),
    );
  });

  test('a file that is no picture ends it at the bytes that show it', () => {
    const message = 'image must be a picture: PNG, JPEG, WebP, GIF or AVIF.';
    const page = part('name="image"; filename="a.png"', '<html>'.repeat(10), 'Content-Type: image/png\r\n');
    const reader = createFormReader(BOUNDARY, LIMITS);
    assert.throws(
      () => reader.push(new Uint8Array(page.subarray(0, page.length - 10))),
      refusal(400, message),
    );
    const short = createFormReader(BOUNDARY, LIMITS);
    const tiny = form(part('name="image"; filename="a.png"', '<'));
    assert.throws(() => short.push(new Uint8Array(tiny)), refusal(400, message));
  });

  test('texts and their names are counted together', async () => {
    const message = 'The texts of a form must not be longer than 1000 bytes.';
    const texts = (count, length) =>
      form(...Array.from({ length: count }, (_, index) => part(`name="a${index}"`, 'x'.repeat(length))));
    await read(texts(1, 900));
    await assert.rejects(read(texts(1, 1001)), refusal(413, message));
    await assert.rejects(read(texts(2, 480)), refusal(413, message));
    await assert.rejects(read(texts(100, 0)), refusal(413, message));
  });

  test('a text must not come twice', async () => {
    const text = part('name="n"', '1');
    await assert.rejects(read(form(text, text)), refusal(400, 'The form holds "n" twice.'));
  });
});

describe('a malformed form is refused', () => {
  const text = part('name="a"', 'x');
  for (const [name, bytes] of [
    ['empty', Buffer.alloc(0)],
    ['without an end', text],
    ['that breaks off', form(text).subarray(0, -4)],
    ['with a preamble that ends in no line break', Buffer.concat([Buffer.from('x'), form(text)])],
    ['with an endless preamble', Buffer.concat([Buffer.from(`${'x'.repeat(3000)}\r\n`), form(text)])],
    ['with another boundary', Buffer.from(form(text).toString('latin1').replaceAll('boundary', 'border'))],
    [
      'whose boundary goes on',
      Buffer.from(form(text).toString('latin1').replaceAll(BOUNDARY, `${BOUNDARY}x`)),
    ],
    ['with a part that has no name', form(part('filename="a"', 'x'))],
    ['with an empty name', form(part('name=""', 'x'))],
    ['with no disposition', form(Buffer.from(`--${BOUNDARY}\r\nContent-Type: text/plain\r\n\r\nx\r\n`))],
    [
      'with another disposition',
      form(Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: attachment; name="a"\r\n\r\nx\r\n`)),
    ],
    ['with an endless head', part(`name="${'x'.repeat(3000)}"`, 'x')],
    ['with a text that is no UTF-8', form(part('name="a"', Uint8Array.of(0xff)))],
    [
      'with a text of an unknown charset',
      form(part('name="a"', 'x', 'Content-Type: text/plain; charset=x\r\n')),
    ],
  ]) {
    test(name, async () => {
      for (const size of [1, 7, 1e6])
        await assert.rejects(read(bytes, size), (error) => error.status === undefined);
    });
  }
});

test('a name that objects inherit is a field like any other', async () => {
  const { content } = await read(form(part('name="__proto__"', 'x'), part('name="constructor"', 'y')));
  assert.deepEqual(Object.entries(content), [
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
});
