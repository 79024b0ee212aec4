/** The request of a lane: the settings of the form, as far as its model takes them. */

/**
 * What a service says of a model.
 *
 * @typedef {object} ModelSummary
 * @property {string} id
 * @property {{ public_contract_summary?: {
 *   supported_parameters?: string[], aspect_ratios?: string[], resolutions?: string[]
 * } }} [tokenlab]
 */

/** @typedef {import('lemondata-wasm').ImageRequest & { fallback?: string[] }} Request */

/** Fields that are sent whatever the list says. */
const ALWAYS = ['prompt', 'model', 'n', 'fallback'];

/**
 * @param {Request} request of the form
 * @param {string} model
 * @param {ModelSummary[]} models
 * @returns {Request}
 */
export function fitTo(request, model, models) {
  /** @type {Request} */
  const lane = { ...request, model };
  const others = lane.fallback?.filter((other) => other !== model);
  if (others?.length) lane.fallback = others;
  else delete lane.fallback;
  const { supported_parameters: supported, aspect_ratios: ratios = [] } =
    models.find(({ id }) => id === model)?.tokenlab?.public_contract_summary ?? {};
  if (!supported) return lane;
  // The shape stays the same where the model is told it in another way.
  const ratio = ratios.find((each) => each === ratioOf(lane.size));
  if (!supported.includes('size') && ratio) lane.aspect_ratio ??= ratio;
  for (const name of Object.keys(lane)) {
    if (!ALWAYS.includes(name) && !supported.includes(name)) delete lane[name];
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
