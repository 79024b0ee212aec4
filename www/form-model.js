/** A model as the form needs it: what it takes, what it does, and its price. */

import { dollars } from './words.js';

/**
 * A model as the form needs it. A list that is missing says nothing.
 *
 * @typedef {object} FormModel
 * @property {string} id
 * @property {string} [note] for the list of suggestions
 * @property {string[]} [operations]
 * @property {string[]} [parameters] the fields of a request that it takes
 * @property {string[]} [ratios] the values of `aspect_ratio`
 * @property {string[]} [resolutions]
 * @property {number} [price] of one picture, in US dollars
 */

/** @type {(list: unknown) => string[] | undefined} */
const filled = (list) => (Array.isArray(list) && list.length > 0 ? list.map(String) : undefined);

/**
 * @param {import('lemondata-wasm').Model} model
 * @returns {FormModel}
 */
export function toFormModel({ id, owned_by, provider = owned_by, tokenlab, lemondata, ...compact }) {
  const details = tokenlab ?? lemondata ?? {};
  const contract = details.request_format_summary ?? details.public_contract_summary ?? {};
  const operations = filled(contract.public_operations ?? compact.supported_operations);
  const pricing = /** @type {any} */ (details.pricing ?? compact.pricing);
  const price = Number.parseFloat(pricing?.per_request);
  return {
    id,
    note: [provider, operations?.includes('image-edit') && 'edits', price >= 0 && dollars(price)]
      .filter(Boolean)
      .join(', '),
    operations,
    parameters: filled(contract.supported_parameters),
    ratios: filled(contract.aspect_ratios),
    resolutions: filled(contract.resolutions),
    price: price >= 0 ? price : undefined,
  };
}

/**
 * What pictures of a model cost, in words.
 *
 * @param {FormModel | undefined} model
 * @param {number} n
 * @returns {string | undefined} undefined where the service lists no price
 */
export function priceOf(model, n) {
  if (model?.price === undefined) return undefined;
  const one = `List price: ${dollars(model.price)} a picture`;
  return n > 1 ? `${one}, ${dollars(model.price * n)} for ${n}.` : `${one}.`;
}

/**
 * What the pictures of several requests cost together, in words.
 *
 * @param {import('lemondata-wasm').ImageRequest[]} requests
 * @param {FormModel[]} models
 * @returns {string | undefined} undefined where the service lists no price
 */
export function priceOfAll(requests, models) {
  const modelOf = (/** @type {string} */ name) => models.find(({ id }) => id === name);
  if (requests.length === 1) return priceOf(modelOf(requests[0].model ?? ''), requests[0].n ?? 1);
  const prices = requests.map(({ model = '', n = 1 }) => (modelOf(model)?.price ?? Number.NaN) * n);
  const known = prices.filter((price) => price >= 0);
  if (known.length === 0) return undefined;
  const missing = prices.length - known.length;
  const end = missing > 0 ? `, unknown for ${missing} ${missing === 1 ? 'model' : 'models'}` : '';
  return `List price: ${dollars(known.reduce((sum, price) => sum + price))} in all${end}.`;
}

/** Settings that the client takes, whatever the model. */
const OWN = ['fallback'];

/**
 * Whether a model takes a field of a request. Where nothing is known of it, it takes every one.
 *
 * @param {FormModel | undefined} model
 * @param {string} name
 */
export const takes = (model, name) => OWN.includes(name) || (model?.parameters?.includes(name) ?? true);
