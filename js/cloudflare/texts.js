/** Long texts in a Durable Object's storage, in pieces: a row holds 2 MB at most. */

/** In UTF-16 units, each of which takes three bytes at most. */
const PIECE_LENGTH = 500_000;

const nameOf = (name, index) => `${name}/${index}`;

/** @param {SyncKvStorage} kv */
export function putText(kv, name, text) {
  dropText(kv, name);
  let count = 0;
  for (let from = 0; from < text.length; count += 1) {
    let to = from + PIECE_LENGTH;
    // A pair of surrogates stays together: apart, neither can be written.
    if (/[\ud800-\udbff]/.test(text[to - 1] ?? '')) to -= 1;
    kv.put(nameOf(name, count), text.slice(from, to));
    from = to;
  }
  kv.put(name, count);
}

/** @returns {string | undefined} */
export function getText(kv, name) {
  const count = kv.get(name);
  if (count === undefined) return undefined;
  return Array.from({ length: count }, (_, index) => kv.get(nameOf(name, index))).join('');
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

export function dropText(kv, name) {
  const count = kv.get(name) ?? 0;
  for (let index = 0; index < count; index += 1) kv.delete(nameOf(name, index));
  kv.delete(name);
}
