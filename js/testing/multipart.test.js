/** The reader of forms: what every platform writes, and what is broken. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textOf } from './bytes.js';
import { parseMultipart, writeMultipart } from './multipart.js';

const TYPE = 'multipart/form-data; boundary=b';
const field = (name, value) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const read = (body, type = TYPE) =>
  parseMultipart(type, Buffer.from(body)).map(({ bytes, ...part }) => ({ ...part, text: textOf(bytes) }));

test('a form of the platform', async () => {
  const form = new FormData();
  const bytes = Uint8Array.from({ length: 512 }, (_, index) => index % 256);
  form.append('prompt', 'çà — 레몬\nzwei "Zeilen"');
  form.append('image', new Blob([bytes], { type: 'image/png' }), 'a "b".png');
  form.append('image', new Blob(['--b\r\n']), 'two.jpg');
  form.append('empty', '');
  form.append('line\nbreak', new Blob(['x']), 'c\rd.png');
  const request = new Request('http://x.test', { method: 'POST', body: form });
  const body = new Uint8Array(await request.arrayBuffer());
  const own = await writeMultipart(form);
  const parts = parseMultipart(request.headers.get('content-type'), body);
  assert.deepEqual(parseMultipart(own.type, own.bytes), parts, 'it is written as the platform does');
  const [prompt, first, second, empty] = parts;
  assert.deepEqual([prompt.name, textOf(prompt.bytes)], ['prompt', 'çà — 레몬\r\nzwei "Zeilen"']);
  assert.equal(prompt.filename, undefined);
  assert.deepEqual([first.name, first.filename, first.type], ['image', 'a "b".png', 'image/png']);
  assert.deepEqual([...first.bytes], [...bytes]);
  assert.deepEqual([second.filename, textOf(second.bytes)], ['two.jpg', '--b\r\n']);
  assert.equal(empty.bytes.length, 0);
});

test('a quoted boundary, a preamble, an epilogue, headers in any case', () => {
  const body = `preamble\r\n--b c\r\ncontent-DISPOSITION:form-data ; NAME="x"\r\n\r\n1\r\n--b c--\r\nepilogue`;
  assert.deepEqual(read(body, 'multipart/form-data; charset=utf-8; boundary="b c"'), [
    { name: 'x', text: '1' },
  ]);
  assert.deepEqual(read('--b--'), []);
});

test('a text that looks like a boundary stays a text', () => {
  const value = '--b\r\n --b--\r\n--a';
  assert.deepEqual(read(`${field('x', value)}--b--`), [{ name: 'x', text: value }]);
});

test('a broken form is refused', () => {
  const good = `${field('x', '1')}--b--`;
  for (const [body, type, message] of [
    [good, 'multipart/form-data', /no boundary/],
    [good, 'multipart/form-data; boundary=', /no boundary/],
    [good, 'multipart/form-data; boundary=other', /ends before/],
    ['', TYPE, /ends before/],
    [field('x', '1'), TYPE, /ends before/],
    ['--b\r\nContent-Disposition: form-data; name="x"', TYPE, /ends before/],
    [good.replace('--b--', '--bx'), TYPE, /line of its own/],
    [good.replace('name="x"', 'filename="x"'), TYPE, /no name/],
    [good.replace('form-data', 'attachment'), TYPE, /no name/],
    [good.replace('Content-Disposition', 'Content-Type'), TYPE, /no name/],
  ]) {
    assert.throws(() => read(body, type), message, `${type} ${body}`);
  }
});
