/** The writer of PNGs, read by another library. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { PNG } from 'pngjs';
import { randomFrom } from './bytes.js';
import { encodePng } from './png.js';

/** What a decoder makes of a picture whose bytes are those of a function. */
function roundTrip(width, height, byteAt) {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, index) => byteAt(index));
  const png = encodePng(data, width, height);
  const read = PNG.sync.read(Buffer.from(png));
  // The checksum of the stream, which that library leaves unread. The data stand behind the signature and the head.
  const start = 33;
  const length = new DataView(png.buffer).getUint32(start);
  inflateSync(png.subarray(start + 8, start + 8 + length));
  assert.deepEqual([read.width, read.height], [width, height]);
  const pixels = read.data.filter((_, index) => index % 4 < 3);
  assert.ok(Buffer.compare(pixels, Buffer.from(data)) === 0, `${width}×${height}`);
  return png.length / data.length;
}

test('keeps every byte: noise, one colour, and each length of a run', () => {
  const random = randomFrom('noise');
  roundTrip(61, 47, () => random() * 256);
  assert.ok(roundTrip(512, 512, () => 7) < 0.02, 'a run takes few bits');
  // After the filter, so many zeros follow one another.
  for (let length = 1; length <= 600; length++) roundTrip(length, 1, () => 200);
  roundTrip(1000, 4, (index) => (index % 300 < 3 ? random() * 256 : 9));
});
