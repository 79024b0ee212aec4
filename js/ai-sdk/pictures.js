import { toBlob } from 'lemondata-wasm';

/** Base64 as the SDK reads it: neither a data URL nor base64url. */
const isPlainBase64 = (text) => typeof text === 'string' && text !== '' && !/^data:|[-_]/.test(text);

/**
 * The images as the SDK takes them: all of them as base64, or all of them as bytes.
 *
 * @param {import('../entries/index.js').Image[]} images
 * @param {import('../entries/index.js').Options} options
 * @returns {Promise<string[] | Uint8Array[]>}
 */
export async function bytesOf(images, options) {
  if (images.every(({ b64_json }) => isPlainBase64(b64_json))) return images.map(({ b64_json }) => b64_json);
  const { fetch, signal, requestTimeout } = options;
  const load = async (image) => {
    const blob = await toBlob(image, { fetch, signal, requestTimeout });
    return new Uint8Array(await blob.arrayBuffer());
  };
  return Promise.all(images.map(load));
}
