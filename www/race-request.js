/** The request of a lane: the settings of the form, as far as its model takes them. */

import { ratioOf, sidesOf } from './sizes.js';

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
  const sides = sidesOf(lane.size ?? '');
  const ratio = sides ? ratioOf(sides) : '';
  if (!parameters.includes('size') && ratios.includes(ratio)) lane.aspect_ratio ??= ratio;
  for (const name of Object.keys(lane)) {
    if (!ALWAYS.includes(name) && !parameters.includes(name)) delete lane[name];
  }
  return lane;
}
