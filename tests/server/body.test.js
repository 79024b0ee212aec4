/** The limits of bodies. Forms of this size take too long to send, so the readers get them directly. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseBody, readBody } from '../../js/testing/body.js';
import { Refusal } from '../../js/testing/errors.js';

const MIB = 2 ** 20;
const FORM = 'multipart/form-data; boundary=b';

/** A form with a file of each of these sizes in bytes. */
function formOf(sizes) {
  const head = '--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n';
  const parts = sizes.flatMap((size) => [Buffer.from(head), Buffer.alloc(size), Buffer.from('\r\n')]);
  return Buffer.concat([...parts, Buffer.from('--b--')]);
}

const refusalOf = (call) => {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof Refusal);
    return error.reply;
  }
};

describe('a form', () => {
  test('holds pictures of 50 MiB each', () => {
    assert.equal(parseBody(FORM, formOf([50 * MIB])).files[0].bytes.length, 50 * MIB);
    const { status, body } = refusalOf(() => parseBody(FORM, formOf([1, 50 * MIB + 1])));
    assert.equal(status, 413);
    assert.match(body.error.message, /50 MiB/);
  });

  test('holds 200 MiB of them', () => {
    const files = Array(4).fill(50 * MIB);
    assert.equal(parseBody(FORM, formOf(files)).files.length, 4);
    const { status, body } = refusalOf(() => parseBody(FORM, formOf([...files, 1])));
    assert.equal(status, 413);
    assert.match(body.error.message, /200 MiB/);
  });
});

test('a body is read to its end, and let go where it is too large', async () => {
  const chunk = Buffer.alloc(MIB);
  for (const [contentType, most] of [
    ['application/json', 1],
    [undefined, 1],
    [FORM, 201],
  ]) {
    let sent = 0;
    const body = (chunks) => ({
      async *[Symbol.asyncIterator]() {
        for (sent = 0; sent < chunks; sent += 1) yield chunk;
      },
    });
    assert.equal((await readBody(contentType, body(most))).length, most * MIB, contentType);
    assert.equal(await readBody(contentType, body(most + 2)), null);
    assert.equal(sent, most + 2);
    const reply = refusalOf(() => parseBody(contentType, null));
    assert.equal(reply.status, 413);
    assert.match(reply.body.error.message, new RegExp(`${most} MiB`));
  }
});
