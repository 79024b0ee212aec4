/** The body of a create, made when the call is made: later changes of the caller's do not count. */

const typeOf = (value) => ({}).toString.call(value);

/** A file may come from another frame, whose classes are others. Workers of before October 2024 tell no types apart. */
const isBlob = (value) =>
  /Blob|File\]/.test(typeOf(value)) || (typeof Blob === 'function' && value instanceof Blob);

/** As JSON. What would be an empty object there, or a list of numbers, must not be paid for. */
const toJson = (value) =>
  JSON.stringify(value, function (name, field) {
    const type = typeOf(this[name]);
    // A typed array has a number in its type.
    if (/\d|Blob|Buffer|File|Form|Map|Promise|Set|Stream/.test(type)) throw new TypeError(`${name}: ${type}`);
    return field;
  });

/** A request as a form: each Blob is a part of its own, and the platform streams it. */
function toForm(request) {
  const form = new FormData();
  for (const [name, value] of Object.entries(request)) {
    const items = [].concat(value);
    if (items.some(isBlob)) {
      for (const item of items) {
        form.append(name, item);
        // Node takes a Blob of another class for a text.
        if (form.get?.(name) === typeOf(item)) throw new TypeError(`${name}: foreign Blob`);
      }
    } else if (value != null) {
      // Lists of URLs are separated by commas there; everything else is what JSON would say.
      const isText = items.every((item) => typeof item === 'string');
      form.append(name, isText ? items.join() : toJson(value));
    }
  }
  return form;
}

/**
 * The request as a form where it holds a Blob, else as JSON; or the cause why it can be neither.
 *
 * @param {any} request
 * @param {readonly string[]} [fallback] for a relay, whose hub goes through these models even if the page closes
 */
export function toBody(request, fallback) {
  let hasBlob;
  try {
    if (fallback) request = { ...request, fallback };
    hasBlob = Object.values(Object(request)).flat().some(isBlob);
    return { value: hasBlob ? toForm(request) : toJson(request) };
  } catch (cause) {
    // An empty text lets the core say first that an edit has no picture.
    return { cause, value: hasBlob ? undefined : '' };
  }
}

/**
 * The types of pictures that can be edited, by the second to the fourth byte as UTF-8, which those of a JPEG are not.
 * `toBlob` knows more formats, by base64; a page that does not call it must not load them.
 */
const TYPES = { PNG: 'image/png', IFF: 'image/webp', '\uFFFD\uFFFD\uFFFD': 'image/jpeg' };

/**
 * The same form, with the type of each picture that its bytes tell. A Blob may have none, and that of a file follows from
 * its name. Services refuse `application/octet-stream`.
 */
export async function withTypes(form) {
  const typed = new FormData();
  for (const [name, value] of form) {
    // A string has no bytes to read.
    const type = TYPES[await value.slice(1, 4).text?.()];
    // In Bun, a Blob of a form has no name.
    typed.append(name, type ? new File([value], value.name ?? name, { type }) : value);
  }
  // A transport that takes a form of another class for a text, such as undici's own, must not send that.
  typed.toString = () => {
    throw new TypeError('foreign FormData');
  };
  return typed;
}

/** The same body for another model. */
export function withModel(body, model) {
  if (typeof body === 'string') return JSON.stringify({ ...JSON.parse(body), model });
  body.set('model', model);
  return body;
}
