/** Answers that go wrong in HTTP or above it: what the server is told to say, by name. */

/**
 * What an answer may be made of.
 *
 * @typedef {object} Context
 * @property {string} url the origin that the client talks to
 * @property {string} foreignUrl another origin, which must never hear of the key
 * @property {string} apiKey
 * @property {{ task_id: string, poll_url: string }} task one that exists at the server
 */

/** @typedef {import('../../js/testing/errors.js').Reply} Reply */

export const HTML =
  '<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Error</h1></body></html>';
const HTML_HEADERS = { 'content-type': 'text/html; charset=utf-8' };
const JSON_HEADERS = { 'content-type': 'application/json' };

const TEN_MEGABYTES = 10 * 1024 * 1024;

/** The provider's error. */
export const refusal = (status, fields, headers) => () => ({
  status,
  headers,
  body: { error: { message: `This is a ${status}`, type: 'scripted', code: `code_${status}`, ...fields } },
});

export const html = (status) => () => ({ status, headers: HTML_HEADERS, body: HTML });

export const empty = (status) => () => ({ status });

/** A body as text, which may be no JSON at all. */
export const text =
  (body, status = 200) =>
  () => ({ status, headers: JSON_HEADERS, body });

/** A body, or a function that makes one. */
export const json =
  (body, status = 200) =>
  (/** @type {Context} */ context) => ({
    status,
    headers: JSON_HEADERS,
    body: JSON.stringify(typeof body === 'function' ? body(context) : body),
  });

export const taskNotFound = refusal(404, {
  message: 'Task not found or no longer available.',
  code: 'async_task_not_found',
});

export const cut =
  (status = 200) =>
  () => ({ status, headers: JSON_HEADERS, partial: '{"created": 17060' });

/** A redirect; the path is that of a create, where a server would take the key. */
export const redirect = (status, to) => (/** @type {Context} */ context) => {
  const location = to(context);
  return { status, headers: location === undefined ? {} : { location }, body: '' };
};

const CREATE = '/v1/images/generations';

/** Where redirects lead. */
export const TARGETS = {
  'another origin': ({ foreignUrl }) => `${foreignUrl}${CREATE}`,
  'another origin, without a scheme': ({ foreignUrl }) => `${foreignUrl.replace(/^http:/, '')}${CREATE}`,
  'the same origin': ({ url }) => `${url}${CREATE}`,
  'a relative path': () => CREATE,
  nowhere: () => undefined,
};

/** Numbers and a date, as `Retry-After` carries them. */
export const retryAfter = (status, value, fields) => (/** @type {Context} */ context) =>
  refusal(status, fields, { 'retry-after': typeof value === 'function' ? value() : value })(context);

/** A date so many milliseconds ahead, in whole seconds. */
export const dateIn = (ms) => () => new Date(Math.ceil((Date.now() + ms) / 1000) * 1000).toUTCString();

/** A picture of ten megabytes, within the answer. */
export const hugePicture = json(({ task }) => ({
  created: 1,
  task_id: task.task_id,
  status: 'completed',
  data: [{ b64_json: 'A'.repeat(TEN_MEGABYTES) }],
}));

/** Ten megabytes of something else. */
export const hugePage = (status) => () => ({
  status,
  headers: HTML_HEADERS,
  body: `<p>${'x'.repeat(TEN_MEGABYTES)}</p>`,
});

/** Answers that repeat the key, as a careless server may. */
export const echoes = {
  'in the message': ({ apiKey }) => refusal(401, { message: `The key ${apiKey} is not valid` })(),
  'in code, type, param and hint': ({ apiKey }) =>
    refusal(400, { code: apiKey, type: apiKey, param: apiKey, hint: `Not ${apiKey}` })(),
  'as a name': ({ apiKey }) => refusal(400, { [apiKey]: true })(),
  'in a page': ({ apiKey }) => ({ status: 400, headers: HTML_HEADERS, body: `<p>Bearer ${apiKey}</p>` }),
  'in the request id': ({ apiKey }) => refusal(400, {}, { 'x-request-id': apiKey })(),
  'in broken JSON': ({ apiKey }) => ({ status: 400, headers: JSON_HEADERS, body: `{"error": "${apiKey}"` }),
};
