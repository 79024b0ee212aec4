/**
 * The requests of a generation and their answers, as they go over the wire, for the drawer that shows them. Signed
 * references and keys are left out when they are shown; the data of pictures at once, since they would fill the memory.
 */

import { redraw } from './redraw.js';

/** From this length on, a text of base64 is named by its size. */
const LONG = 200;
/** A character that base64 in a JSON never has. Some servers escape its slash. */
const NO_DATA = /[^\w+/=\\-]/;

/** The headers of an answer that say something about it. */
const SHOWN = /^(content-type|location|retry-after|x-(request|task|billing|ratelimit|studio-account).*)$/;

/**
 * @typedef {object} Exchange
 * @property {string} method
 * @property {string} url
 * @property {[string, string][]} headers
 * @property {string} [body]
 * @property {{ status: number, headers: [string, string][], body?: string }} [answer] its body is missing until it is read
 */

/** @param {string} text */
const sizeOf = (text) => `[${Math.round((text.length * 3) / 4000)} KB of base64]`;

/** @param {string} text between two quotes */
const isData = (text) => text.length >= LONG && !NO_DATA.test(text.replace(/^data:[^,]*,/, ''));

/**
 * Names the data of pictures by their size. One pattern for all of a text would run out of stack at some megabytes.
 *
 * @param {string} text JSON
 */
export const withoutData = (text) =>
  text
    .split('"')
    .map((part) => (isData(part) ? sizeOf(part) : part))
    .join('"');

/**
 * @param {string} url
 * @param {RequestInit} init
 * @returns {Exchange}
 */
export function recordRequest(url, { method = 'GET', headers, body }) {
  const isForm = body instanceof FormData;
  return {
    method,
    url,
    headers: [
      ...new Headers(headers),
      // The browser adds it.
      .../** @type {[string, string][]} */ (isForm ? [['content-type', 'multipart/form-data']] : []),
    ],
    body: isForm
      ? [...body].map((part) => `${part[0]}: ${partText(part[1])}`).join('\n')
      : withoutData(`${body ?? ''}`),
  };
}

/** @param {FormDataEntryValue} value */
const partText = (value) =>
  typeof value === 'string' ? value : `[file ${value.name}, ${Math.ceil(value.size / 1000)} KB]`;

/**
 * @param {Exchange} exchange
 * @param {Response} response records its text as the client reads it: a copy would hold megabytes of base64 twice
 */
export function recordAnswer(exchange, response) {
  const headers = [...response.headers].filter(([name]) => SHOWN.test(name));
  /** @type {NonNullable<Exchange['answer']>} */
  const answer = { status: response.status, headers };
  exchange.answer = answer;
  if (response.headers.get('content-type')?.startsWith('text/event-stream'))
    answer.body = '[a stream of events]';
  const read = response.text.bind(response);
  response.text = async () => {
    try {
      const text = await read();
      answer.body = withoutData(text);
      return text;
    } catch (error) {
      answer.body = '[The answer broke off.]';
      throw error;
    } finally {
      redraw();
    }
  };
}
