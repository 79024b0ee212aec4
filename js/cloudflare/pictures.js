/** Copies finished pictures to an R2 bucket, since the provider's URLs expire. */

import { concat } from '../relay/form-reader.js';
import { imageTypeOf, SIGNATURE_BYTES } from '../relay/image-types.js';

/** The time-out for one picture, in milliseconds. */
const TIMEOUT_MS = 60_000;
/** How many redirects are followed, each to the same origin. */
const MAX_REDIRECTS = 3;
/**
 * The types that a provider may send although no form may bring them.
 *
 * @type {[string, RegExp][]}
 */
const FURTHER_TYPES = [
  ['image/bmp', /^424d/],
  ['image/tiff', /^(49492a00|4d4d002a)/],
];

const folderOf = (id) => `${id}/`;
export const pictureName = (id, index) => `${folderOf(id)}${index}`;

/** A picture that no further attempt can copy. */
class PermanentError extends Error {
  isFinal = true;
}

/**
 * Copies a picture, unless it has been copied already: some URLs serve once. They are public, so the request has no
 * key.
 *
 * @param {R2Bucket} bucket
 * @param {string} id of the task's object
 * @param {number} index of the picture
 * @param {string} url
 * @param {{ baseUrl?: string, maxPictureBytes: number }} options
 */
export async function copyPicture(bucket, id, index, url, { baseUrl, maxPictureBytes }) {
  const name = pictureName(id, index);
  if (await bucket.head(name)) return;
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), TIMEOUT_MS);
  try {
    const { body, headers } = await open(url, baseUrl, controller.signal);
    const length = headers.has('content-encoding')
      ? Number.NaN
      : Number(headers.get('content-length') ?? Number.NaN);
    if (length > maxPictureBytes) throw tooLarge(maxPictureBytes);
    const reader = capped(body, maxPictureBytes).getReader();
    const head = await readHead(reader);
    const contentType = imageTypeOf(head, FURTHER_TYPES);
    if (!contentType) throw new PermanentError('A picture does not begin as an image does.');
    await bucket.put(name, await contentOf(reader, head, length), { httpMetadata: { contentType } });
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}

/** Deletes all copies of a task, including those that were not stored as made. */
export async function deletePictures(bucket, id) {
  if (!bucket) return;
  let cursor;
  do {
    const page = await bucket.list({ prefix: folderOf(id), cursor });
    if (page.objects.length > 0) await bucket.delete(page.objects.map(({ key }) => key));
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor);
}

/** Fetches a picture: the answer is a 200 with the type of an image, from the origin of the URL. */
async function open(url, baseUrl, signal) {
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    checkUrl(url, baseUrl);
    const response = await fetch(url, { signal, redirect: 'manual' });
    const { status, headers, body } = response;
    if (status >= 300 && status < 400 && headers.has('location')) {
      const next = new URL(headers.get('location'), url);
      if (next.origin !== new URL(url).origin) {
        throw new PermanentError('A picture redirects to another origin.');
      }
      url = next.href;
      continue;
    }
    if (status !== 200 || !body) throw new Error(`A picture was answered with status ${status}.`);
    const type = headers.get('content-type') ?? '';
    if (!/^(image\/|(application|binary)\/octet-stream)/i.test(type)) {
      throw new PermanentError(`A picture has the type ${type.slice(0, 100) || 'of nothing'}.`);
    }
    return response;
  }
  throw new PermanentError(`A picture redirects more than ${MAX_REDIRECTS} times.`);
}

/** Only `https:`, or the service's own origin: a service in development may speak `http:`. */
function checkUrl(url, baseUrl) {
  const { protocol, origin } = URL.canParse(url) ? new URL(url) : {};
  if (protocol !== 'https:' && !(baseUrl && origin === new URL(baseUrl).origin)) {
    throw new PermanentError('A picture has no URL of https.');
  }
}

const tooLarge = (maxPictureBytes) =>
  new PermanentError(`A picture is larger than maxPictureBytes, ${maxPictureBytes} bytes.`);

/** A stream that fails at the cap. A small body may unpack to any length. */
function capped(body, maxPictureBytes) {
  let size = 0;
  return body.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        size += chunk.byteLength;
        if (size > maxPictureBytes) throw tooLarge(maxPictureBytes);
        controller.enqueue(chunk);
      },
    }),
  );
}

/** Reads chunks until they are long enough to tell the type. */
async function readHead(reader) {
  const chunks = [];
  for (let size = 0; size < SIGNATURE_BYTES; ) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    size += value.byteLength;
  }
  return concat(chunks);
}

/** The content for the bucket, which needs the length beforehand: without one, the picture is read first. */
async function contentOf(reader, head, length) {
  if (!Number.isNaN(length)) {
    const { readable, writable } = new FixedLengthStream(length);
    pour(reader, head, writable).catch(() => {});
    return readable;
  }
  const chunks = [head];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(chunks);
    chunks.push(value);
  }
}

/** Writes the whole picture. If its body breaks off, so does the copy. */
async function pour(reader, head, writable) {
  const writer = writable.getWriter();
  try {
    await writer.write(head);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      await writer.write(value);
    }
    await writer.close();
  } catch (error) {
    await writer.abort(error);
  }
}
