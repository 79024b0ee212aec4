/** The list of models: the service's own, cut down to those that the relay offers. */

import { isCloudflare } from './platform.js';

const CACHE_MS = 300_000;
/** The parts of the query that a client may choose: option, values. Each combination is kept. */
const CHOICES = {
  recommended_for: ['recommendedFor', ['image']],
  view: ['view', ['compact', 'full']],
};

/**
 * @param {ReturnType<typeof import('./options.js').readOptions>} options
 * @param {import('lemondata-wasm').LemonData} client of the service. The list is public, so the key stays here
 * @returns {(query: URLSearchParams) => Promise<{ object: 'list', data: { id: string }[] }>} rejects with the errors of
 *   the package
 */
export function createModelList({ models, now }, client) {
  /** By their choices. */
  const lists = new Map();
  /** Requests that are under way, by their choices. */
  const loads = new Map();

  async function load(choices, options) {
    const found = await client.listModels(options);
    const data = found.filter(
      (model) => typeof model?.id === 'string' && (models?.includes(model.id) ?? true),
    );
    const list = { object: 'list', data };
    lists.set(choices, { list, at: now() });
    return list;
  }

  /** Many clients ask at once when a list has expired. They share a request, except in a worker, where none may. */
  function loadOnce(choices, options) {
    if (isCloudflare) return load(choices, options);
    if (!loads.has(choices)) {
      loads.set(
        choices,
        load(choices, options).finally(() => loads.delete(choices)),
      );
    }
    return loads.get(choices);
  }

  return async function list(query) {
    const options = {};
    for (const [name, [option, values]] of Object.entries(CHOICES)) {
      const value = query.get(name);
      if (values.includes(value)) options[option] = value;
    }
    const choices = JSON.stringify(options);
    const known = lists.get(choices);
    if (known && now() - known.at < CACHE_MS) return known.list;
    return loadOnce(choices, options);
  };
}
