/** The list of models: the service's own, cut down to those that the relay offers. */

import { ConnectionError, ResponseError } from 'lemondata-wasm';
import { withTimeout } from './timeout.js';

const CACHE_MS = 300_000;
/** What the client package allows a poll by default. */
const TIMEOUT_MS = 60_000;
/** The parts of the query that a client may choose, and their values: each combination is kept. */
const CHOICES = { recommended_for: ['image'], view: ['compact', 'full'] };

/**
 * @param {ReturnType<typeof import('./options.js').readOptions>} options
 * @param {{ apiKey: () => Promise<string>, fetch: typeof fetch }} upstream
 * @returns {(query: URLSearchParams) => Promise<{ object: 'list', data: { id: string }[] }>} rejects with the errors of
 *   the package
 */
export function createModelList({ baseUrl, models, requestTimeout = TIMEOUT_MS, now }, { apiKey, fetch }) {
  const base = (baseUrl ?? 'https://api.lemondata.cc').replace(/\/$/, '').replace(/\/v1$/, '');
  /** By their query. */
  const lists = new Map();

  async function load(query) {
    const target = `GET /v1/models?${query}`;
    const controller = new AbortController();
    let response;
    let body;
    try {
      const headers = { accept: 'application/json', authorization: `Bearer ${await apiKey()}` };
      const url = `${base}/v1/models?${query}`;
      /** @type {RequestInit} */
      const init = { headers, redirect: 'manual', signal: controller.signal };
      response = await withTimeout(requestTimeout, fetch(url, init), target);
      body = await withTimeout(requestTimeout, response.text(), target);
    } catch (cause) {
      const message = `${target} got no answer: the connection failed.`;
      throw new ConnectionError({ kind: 'connection', outcome: 'rejected', message, cause });
    } finally {
      controller.abort();
    }
    const { data, ...rest } = Object(parse(body));
    if (response.ok && Array.isArray(data)) return data;
    throw new ResponseError({
      kind: 'response',
      outcome: 'rejected',
      message: `${target} was answered with status ${response.status}, and no list of models.`,
      status: response.status,
      requestId: response.headers.get('x-request-id') ?? undefined,
      body: rest,
    });
  }

  return async function list(wanted) {
    const query = new URLSearchParams({ category: 'image' });
    for (const [name, values] of Object.entries(CHOICES)) {
      const value = wanted.get(name);
      if (values.includes(value)) query.set(name, value);
    }
    const known = lists.get(`${query}`);
    if (known && now() - known.at < CACHE_MS) return known.list;
    const data = await load(query);
    const offered = data.filter(
      (model) => typeof model?.id === 'string' && (models?.includes(model.id) ?? true),
    );
    const answer = { object: 'list', data: offered };
    lists.set(`${query}`, { list: answer, at: now() });
    return answer;
  };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
