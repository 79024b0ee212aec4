/** The body of a create, made when the call is made: later changes of the caller's do not count. */

/** The name of a type of the platform. A file may come from another frame, whose classes are others. */
const typeOf = (value) => Object.prototype.toString.call(value).slice(8, -1);

const isBlob = (value) => /^(?:Blob|File)$/.test(typeOf(value));

/** What would be sent as an empty object, or as a list of numbers, and be paid for. */
const isNoJson = (value) =>
  ArrayBuffer.isView(value) || /^(?:ArrayBuffer|Map|Promise|ReadableStream|Set)$/.test(typeOf(value));

/** A request as a form: each Blob is a part of its own, and the platform streams it. */
function toForm(request) {
  const form = new FormData();
  for (const [name, value] of Object.entries(request)) {
    const items = [].concat(value);
    if (items.some(isBlob)) {
      for (const item of items) {
        form.append(name, item);
        // Node takes a Blob of another class for a text.
        if (form.get?.(name) === `${item}` && isBlob(item)) throw new TypeError(`${name} is a foreign Blob`);
      }
    } else if (value != null) {
      // Lists of URLs are separated by commas there; everything else is what JSON would say.
      const isText = items.every((item) => typeof item === 'string');
      form.append(name, isText ? items.join() : JSON.stringify(value));
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
  try {
    if (fallback) request = { ...request, fallback };
    const entries = Object.entries(Object(request)).map(([name, value]) => [name, [].concat(value)]);
    for (const [name, items] of entries) {
      const wrong = items.find(isNoJson);
      if (wrong) throw new TypeError(`${name} is of the type ${typeOf(wrong)}`);
    }
    const hasBlob = entries.some(([, items]) => items.some(isBlob));
    return { value: hasBlob ? toForm(request) : JSON.stringify(request) };
  } catch (cause) {
    return { cause };
  }
}

/** The same body for another model. */
export function withModel(body, model) {
  if (typeof body === 'string') return JSON.stringify({ ...JSON.parse(body), model });
  const form = new FormData();
  for (const [name, value] of body) if (name !== 'model') form.append(name, value);
  form.append('model', model);
  return form;
}
