import { InvalidRequestError } from 'lemondata-wasm';

function toBlobPart({ data, mediaType }) {
  const bytes = typeof data === 'string' ? Uint8Array.from(atob(data), (char) => char.charCodeAt(0)) : data;
  return new Blob([bytes], { type: mediaType });
}

const isUrl = ({ type }) => type === 'url';

/**
 * The pictures of an edit as the client takes them: URLs for JSON, or Blobs for a form.
 *
 * @param {any[]} files
 * @param {any} mask
 */
export function pictureFields(files, mask) {
  const all = mask ? [...files, mask] : files;
  if (all.every(isUrl)) {
    return { image_urls: files.map(({ url }) => url), ...(mask && { mask: { image_url: mask.url } }) };
  }
  if (!all.some(isUrl)) {
    return { image: files.map(toBlobPart), ...(mask && { mask: toBlobPart(mask) }) };
  }
  throw new InvalidRequestError({
    kind: 'invalid_request',
    outcome: 'not_sent',
    message: 'The pictures of an edit must be all URLs, or all data: download those that are URLs.',
    param: 'files',
  });
}
