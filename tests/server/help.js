/** What the tests of the server have in common: servers that end with the test, requests, and checks of answers. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after } from 'node:test';
import { startServer, TEST_KEY } from './index.js';

export const AUTH = { authorization: `Bearer ${TEST_KEY}` };
const JSON_TYPE = { 'content-type': 'application/json' };
export const SMALL = { size: '16x16' };
export const TASK_MS = 6000;

/** The clock of every server below: a task's time passes only when a test moves it. */
export const clock = { ms: 1_706_000_000_000 };
const now = () => clock.ms;

/** @type {import('./index.js').Server[]} */
export const started = [];

/** @param {import('./index.js').Options} [options] */
export async function start(options) {
  const server = await startServer({ now, taskMs: TASK_MS, ...options });
  started.push(server);
  return server;
}

after(() => Promise.all(started.map((server) => server.close())));

/** @param {string} name */
export function example(name) {
  return JSON.parse(readFileSync(new URL(`./examples/${name}.json`, import.meta.url), 'utf8'));
}

/** The field names and types of a value. */
export function shape(/** @type {unknown} */ value) {
  if (Array.isArray(value)) {
    return value.map(shape);
  }
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shape(inner)]));
  }
  return typeof value;
}

/** Sends a create: text, bytes or a form as they are, anything else as JSON. */
export function create(server, body, headers = {}, path = '/v1/images/generations') {
  const isForm = body instanceof FormData;
  const isRaw = isForm || typeof body === 'string' || body instanceof Uint8Array;
  return fetch(server.url + path, {
    method: 'POST',
    headers: { ...AUTH, ...(!isForm && JSON_TYPE), ...headers },
    body: isRaw ? body : JSON.stringify(body),
    redirect: 'manual',
  });
}

export const edit = (server, body, headers) => create(server, body, headers, '/v1/images/edits');

export function get(server, path, headers = AUTH) {
  return fetch(server.url + path, { headers, redirect: 'manual' });
}

export async function json(response, status = 200) {
  const text = await response.text();
  assert.equal(response.status, status, text);
  assert.match(response.headers.get('content-type'), /^application\/json/);
  return JSON.parse(text);
}

/** Checks the error shape of the contract and returns the error. */
export async function errorOf(response, status, code) {
  const { error } = await json(response, status);
  assert.equal(typeof error.message, 'string');
  assert.equal(typeof error.type, 'string');
  assert.equal(error.code, code);
  return error;
}
