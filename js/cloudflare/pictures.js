/** Finished pictures in an R2 bucket: the provider's URLs expire. */

/** The time for one picture, in milliseconds. */
const TIMEOUT_MS = 60_000;

export const nameOf = (id, index) => `${id}/${index}`;

/** Copies a picture. The provider's URL is public: no key goes with it. */
export async function copyPicture(bucket, id, index, url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`A picture was answered with status ${response.status}.`);
  const contentType = response.headers.get('content-type') ?? 'application/octet-stream';
  // A bucket has to know a length beforehand, which a stream tells in its header alone.
  const hasLength = response.headers.has('content-length') && !response.headers.has('content-encoding');
  const body = hasLength ? response.body : await response.arrayBuffer();
  await bucket.put(nameOf(id, index), body, { httpMetadata: { contentType } });
}

export const dropPictures = (bucket, id, indices) =>
  bucket?.delete(indices.map((index) => nameOf(id, index)));
