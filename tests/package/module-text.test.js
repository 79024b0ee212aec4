/** The module as text: what the build writes, the package reads. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { brotliCompressSync } from 'node:zlib';
import { decode } from '../../js/client/decode.js';
import { makeDecoder, toText } from '../../scripts/build/module-text.js';

const module = readFileSync(new URL('../../dist/lemondata.wasm', import.meta.url));
const decoder = await makeDecoder();
const every = Array.from({ length: 256 }, (_, byte) => byte);

for (const [title, bytes] of [
  ['the module', module],
  ['every byte', Uint8Array.from(every)],
  ['the rare bytes of a text', Uint8Array.from([...Buffer.from('lemon '.repeat(99)), ...every, ...every])],
]) {
  test(`${title} comes back as it was, from ASCII that needs no escape`, () => {
    const written = toText(decoder, bytes);
    assert.match(written, /^[ -~]+$/);
    assert.doesNotMatch(written, /['\\]/);
    assert.deepEqual(decode(decoder, written), new Uint8Array(bytes));
  });
}

test('the text of the module compresses nearly as well as its bytes', () => {
  const [text, bytes] = [Buffer.from(toText(decoder, module)), module].map(
    (data) => brotliCompressSync(data).length,
  );
  assert.ok(text < 1.03 * bytes, `${text} bytes of text for ${bytes}`);
});
