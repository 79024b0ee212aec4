/** The models that a service offers. Listing them needs no decision of the core. */

import { bounded, refuse } from './bounded.js';
import { ConnectionError, detailsOf, errorOfStatus, ownError, RequestTimeoutError } from './errors.js';
import { Attempt, exchange } from './exchange.js';
import { checkNames, resolve } from './options.js';
import { inBrowser } from './place.js';
import { SERVICE } from './service.js';
import { parseUrl, reasonOf } from './values.js';

const TIMEOUT_MS = 60_000;

/** The names that the options have in the query. */
const QUERY = { category: 'category', recommendedFor: 'recommended_for', view: 'view' };

/** The options that count here: those of the call over those of its client, each read once. */
function readOptions(options, defaults) {
  checkNames([options, defaults], undefined, Object.keys(QUERY));
  for (const source of [options, defaults]) {
    if (source != null && typeof source !== 'object') throw refuse('options', ' must be an object.');
  }
  const read = (name) => {
    try {
      return options?.[name] ?? defaults?.[name];
    } catch (cause) {
      throw refuse(name, ' cannot be read.', cause);
    }
  };
  const query = [];
  for (const [name, field] of Object.entries(QUERY)) {
    const value = read(name) ?? (name === 'category' ? 'image' : '');
    if (typeof value !== 'string') throw refuse(name, ' must be a string.');
    if (value) query.push(`${field}=${encodeURIComponent(value)}`);
  }
  const fetch = read('fetch');
  if (fetch && typeof fetch !== 'function') throw refuse('fetch', ' must be a function.');
  return {
    url: modelsUrl(read('baseUrl') ?? SERVICE),
    query: query.length ? `?${query.join('&')}` : '',
    fetch,
    headers: read('headers'),
    signal: read('signal'),
    requestTimeout: read('requestTimeout') ?? TIMEOUT_MS,
  };
}

/** Where the models are, by the same rules as every other route. */
function modelsUrl(baseUrl) {
  const [origin = '', path = '', isPlain] = (typeof baseUrl === 'string' && parseUrl(baseUrl)) || [];
  if (!isPlain || !/^https?:/.test(origin) || !path.startsWith('/') || path.includes('/v1/images')) {
    const message =
      ' must be an http(s) URL without /v1/images, credentials, query and fragment. A path works in a web page alone.';
    throw refuse('baseUrl', message);
  }
  return `${origin}${path.replace(/\/+$/, '').replace(/\/+v1$/, '')}/v1/models`;
}

/** The list is public: no key goes along. */
async function headersOf({ headers }) {
  try {
    return new Headers(await resolve(headers));
  } catch {
    // The cause could show their values.
    throw refuse('headers', ' cannot be used.');
  }
}

/**
 * @param {object} [options] those of the call
 * @param {object} [defaults] those of its client
 */
export async function listModels(options, defaults) {
  const settings = readOptions(options, defaults);
  const { url, query, fetch } = settings;
  const [origin, path] = parseUrl(url);
  const target = `GET ${path}`;
  const late = () => ownError(RequestTimeoutError, 'rejected', `${target} got no answer in time.`);
  return bounded(
    async (signal) => {
      const headers = await headersOf(settings);
      const attempt = new Attempt('GET', 1);
      await exchange(attempt, { fetch, url: url + query, signal, headers });
      const { status, body, cause } = attempt;
      if (body === undefined) {
        const advice = inBrowser()
          ? ' A page of another origin needs its permission (allowedOrigins of a relay).'
          : '';
        const message = `${target} got no answer: the connection failed. Is ${origin} up?${advice}`;
        throw ownError(ConnectionError, 'rejected', message, { cause });
      }
      const isOk = status >= 200 && status < 300;
      if (isOk && Array.isArray(body?.data)) return body.data;
      throw errorOf(target, isOk, attempt);
    },
    settings,
    late,
  );
}

/** The error of an answer that is no list. */
function errorOf(target, isOk, { status, seconds, date, now, location, requestId, body }) {
  const isRedirect = !isOk && status < 400;
  // A page of an intermediary is no reason.
  const foreign = typeof body === 'string' ? "check baseUrl, or the dev server's proxy." : '';
  const reason = isRedirect ? redirectHint(location) : reasonOf(Object(body)) || foreign;
  const start = isOk ? 'was answered, but holds no list of models' : `was answered with status ${status}`;
  const retryAfterMs = seconds * 1000 || date - now || Object(body?.error).retry_after * 1000;
  return errorOfStatus(status, `${target} ${start}${reason ? `: ${reason}` : '.'}`, {
    ...detailsOf(body, requestId),
    retryAfterMs: retryAfterMs > 0 ? retryAfterMs : undefined,
  });
}

function redirectHint(origin) {
  return origin?.startsWith('http')
    ? `Redirects are not followed: if you trust it, set baseUrl to ${origin}.`
    : 'Redirects are not followed: check baseUrl.';
}
