/** Long texts and files in a Durable Object's storage, in pieces: a row holds 2 MB at most. */

/** In UTF-16 units, each of which takes three bytes at most. */
const PIECE_LENGTH = 500_000;
const PIECE_BYTES = 1_500_000;

const nameOf = (name, index) => `${name}/${index}`;

/** @param {SyncKvStorage} kv */
export const putText = (kv, name, text) => putPieces(kv, name, cutText(text));

function* cutText(text) {
  for (let from = 0; from < text.length; ) {
    let to = from + PIECE_LENGTH;
    // A pair of surrogates stays together: apart, neither can be written.
    if (/[\ud800-\udbff]/.test(text[to - 1] ?? '')) to -= 1;
    yield text.slice(from, to);
    from = to;
  }
}

/**
 * @param {SyncKvStorage} kv
 * @param {string} name
 * @param {Uint8Array} bytes
 */
export const putBytes = (kv, name, bytes) => putPieces(kv, name, cutBytes(bytes));

function* cutBytes(bytes) {
  // Copies: a part of a buffer would be stored with the whole of it.
  for (let from = 0; from < bytes.length; from += PIECE_BYTES) yield bytes.slice(from, from + PIECE_BYTES);
}

function putPieces(kv, name, pieces) {
  drop(kv, name);
  let count = 0;
  for (const piece of pieces) kv.put(nameOf(name, count++), piece);
  kv.put(name, count);
}

/** @returns {string | undefined} */
export const getText = (kv, name) => getPieces(kv, name)?.join('');

/** The pieces of a text or of bytes, or `undefined`. */
export function getPieces(kv, name) {
  const count = kv.get(name);
  return count === undefined
    ? undefined
    : Array.from({ length: count }, (_, index) => kv.get(nameOf(name, index)));
}

/** The same as a stream, with one piece at a time in memory. */
export function streamText(kv, name) {
  const count = kv.get(name);
  const encoder = new TextEncoder();
  let index = 0;
  return new ReadableStream({
    type: 'bytes',
    pull(controller) {
      if (index < count) controller.enqueue(encoder.encode(kv.get(nameOf(name, index++))));
      else controller.close();
    },
  });
}

export const isLong = (text) => text.length > PIECE_LENGTH;

/** Deletes a text or bytes, if they are there. */
export function drop(kv, name) {
  const count = kv.get(name);
  if (count === undefined) return;
  for (let index = 0; index < count; index += 1) kv.delete(nameOf(name, index));
  kv.delete(name);
}
