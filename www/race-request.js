/** The request of a lane: the settings of the form, as far as its model takes them. */

/** @typedef {import('./form-model.js').FormModel} FormModel */
/** @typedef {import('lemondata-wasm').ImageRequest & { fallback?: string[] }} Request */

/** Fields that are sent whatever the list says. */
const ALWAYS = ['prompt', 'model', 'n', 'fallback'];

/**
 * @param {Request} request of the form
 * @param {string} model
 * @param {FormModel[]} models
 * @returns {Request}
 */
export function fitTo(request, model, models) {
  /** @type {Request} */
  const lane = { ...request, model };
  const others = lane.fallback?.filter((other) => other !== model);
  if (others?.length) lane.fallback = others;
  else delete lane.fallback;
  const { parameters, ratios = [] } = models.find(({ id }) => id === model) ?? {};
  if (!parameters) return lane;
  // The shape stays the same where the model is told it in another way.
  const ratio = ratios.find((each) => each === ratioOf(lane.size));
  if (!parameters.includes('size') && ratio) lane.aspect_ratio ??= ratio;
  for (const name of Object.keys(lane)) {
    if (!ALWAYS.includes(name) && !parameters.includes(name)) delete lane[name];
  }
  return lane;
}

/** @param {string} [size] */
function ratioOf(size = '') {
  const [width, height] = size.split('x').map(Number);
  /** @type {(a: number, b: number) => number} */
  const divisor = (a, b) => (b ? divisor(b, a % b) : a);
  const common = divisor(width, height);
  return `${width / common}:${height / common}`;
}
