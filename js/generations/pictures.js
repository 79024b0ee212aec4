/**
 * Whether a field holds the bytes of a picture, which no text has room for: a file or a `data:` URL, also as a reference
 * or in a list. Not every object has a text.
 */
export const hasPicture = (value) =>
  [value]
    .flat()
    .some((item) => item?.arrayBuffer || /^data:image/i.test(item?.image_url ?? item?.toString?.()));
