/** Requests for less than a whole picture: HEAD, `If-None-Match` and ranges. */

/**
 * @param {Request} request
 * @param {{ status: number, headers: Record<string, string>, body: ReadableStream, size?: number }} answer the whole
 *   picture. Without a size, there are no ranges
 */
export function conditional(request, { size, ...answer }) {
  const headers = { ...answer.headers };
  const { etag } = headers;
  const withoutBody = (status, more) => {
    answer.body?.cancel?.().catch(() => {});
    return { status, headers: { ...headers, ...more }, body: null };
  };
  if (matches(request.headers.get('if-none-match'), etag)) return withoutBody(304);
  if (size === undefined) return request.method === 'HEAD' ? withoutBody(200) : answer;

  headers['accept-ranges'] = 'bytes';
  if (request.method === 'HEAD') return withoutBody(200, { 'content-length': String(size) });
  const range = rangeOf(request.headers, etag, size);
  if (!range) return { ...answer, headers };
  const [first, last] = range;
  if (first > last) {
    return withoutBody(416, { 'content-range': `bytes */${size}`, 'cache-control': 'no-store' });
  }
  headers['content-range'] = `bytes ${first}-${last}/${size}`;
  return { status: 206, headers, body: slice(answer.body, first, last + 1) };
}

/** The tag without the mark of a weak one: both compare alike. */
const plain = (tag) => tag.trim().replace(/^W\//, '');

const matches = (header, etag) =>
  header !== null && (header.trim() === '*' || header.split(',').some((tag) => plain(tag) === plain(etag)));

/** The first and the last byte of a range, or `undefined` for the whole picture. Several ranges count as none. */
function rangeOf(headers, etag, size) {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(headers.get('range')?.trim() ?? '') ?? [];
  if (from === undefined || (from === '' && to === '')) return undefined;
  const condition = headers.get('if-range');
  if (condition !== null && condition !== etag) return undefined;
  if (from === '') return [Math.max(0, size - Number(to)), Number(to) > 0 ? size - 1 : -1];
  const last = to === '' ? size - 1 : Math.min(Number(to), size - 1);
  // A range that ends before it begins is no range.
  if (to !== '' && Number(to) < Number(from)) return undefined;
  return [Number(from), last];
}

/** The bytes from `start` to before `end`. */
function slice(stream, start, end) {
  const reader = stream.getReader();
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        const part = value.subarray(Math.max(0, start - at), Math.max(0, end - at));
        at += value.byteLength;
        if (part.byteLength > 0) controller.enqueue(part);
        if (at >= end) {
          reader.cancel().catch(() => {});
          return controller.close();
        }
        if (part.byteLength > 0) return;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
