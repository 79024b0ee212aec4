/** Looks for the key in all that a runtime shows of a client and of its errors, in whichever runtime loads this. */

import { LemonData } from 'lemondata-wasm';

/** Bundlers need not find what only some runtimes have. */
const NODE_UTIL = 'node:util';
const { inspect } = await import(NODE_UTIL).catch(() => ({}));
const { Deno, Bun } = globalThis;

/** All that the inspectors can be asked for. */
const WHOLE = {
  showHidden: true,
  getters: true,
  showProxy: true,
  depth: 100,
  strAbbreviateSize: Number.POSITIVE_INFINITY,
};

/** The ways to look at a value, each of which makes a text of it. */
const WAYS = {
  String,
  stack: ({ stack }) => String(stack),
  'JSON.stringify': (value) => JSON.stringify([value]),
  'for in': (value) => read(value, enumerable),
  'own properties': (value) => read(value, Reflect.ownKeys),
  structuredClone: (value) => read(structuredClone(value), Reflect.ownKeys),
  ...(inspect && {
    'util.inspect': (value) => inspect(value, { ...WHOLE, customInspect: true }),
    'util.inspect, raw': (value) => inspect(value, { ...WHOLE, customInspect: false }),
  }),
  ...(Deno && { 'Deno.inspect': (value) => Deno.inspect(value, WHOLE) }),
  ...(Bun && { 'Bun.inspect': (value) => Bun.inspect(value, WHOLE) }),
};

/**
 * @typedef {object} Input
 * @property {string} apiKey
 * @property {string} decoy what is shown on purpose, to see that each way shows anything
 * @property {string} baseUrl a server where the next creates fail
 * @property {number} creates how many of them
 * @property {string} nowhere a URL where nothing listens
 */

/**
 * Uses a client, and looks at it and at every error that it brings. All of them go to the console, too, and
 * the decoy last.
 *
 * @param {Input} input
 * @returns {Promise<{ ways: string[], found: string[], kinds: string[] }>} the ways that show the decoy; where
 *   the key was found; which errors there were
 */
export async function reveal({ apiKey, decoy, baseUrl, creates, nowhere }) {
  const options = { apiKey, dangerouslyAllowBrowser: true, maxRetries: 0, headers: { 'x-key': apiKey } };
  const lemon = new LemonData({ ...options, baseUrl });
  const request = { model: 'flux-pro', prompt: 'a lemon' };
  const calls = [
    ...Array.from({ length: creates }, () => () => lemon.generateAndWait(request)),
    () => lemon.generate(request, { baseUrl: nowhere }),
    () => lemon.generate({ ...request, n: 'many' }),
    () => lemon.generate(request, { requestTimeout: apiKey }),
    () => new LemonData({ ...options, apiKey: `${apiKey}\n${apiKey}` }).generate(request),
    () => new LemonData({ ...options, baseUrl: `ftp://${apiKey}@127.0.0.1/` }).generate(request),
  ];
  const values = { 'a client that was not used': new LemonData(options), 'a client': lemon };
  const kinds = [];
  for (const [index, call] of calls.entries()) {
    const error = await call().then(
      () => new Error('It did not fail'),
      (reason) => reason,
    );
    kinds.push(error.kind ?? `${error}`);
    values[`error ${index + 1} (${error.name})`] = error;
  }

  const leaks = [];
  for (const [name, value] of Object.entries(values)) {
    for (const way of Object.keys(WAYS)) if (look(way, value).includes(apiKey)) leaks.push(`${name}: ${way}`);
  }
  const shown = Object.assign(new Error(decoy), { apiKey: decoy });
  // Not in every engine does it begin with the message.
  shown.stack += decoy;
  for (const value of [...Object.values(values), values, shown, decoy]) console.log(value);
  return { ways: Object.keys(WAYS).filter((way) => look(way, shown).includes(decoy)), found: leaks, kinds };
}

/** What a way shows of a value. One that refuses shows what it says. */
function look(way, value) {
  try {
    return WAYS[way](value);
  } catch (error) {
    return `${error}`;
  }
}

/** Every name and every text that can be reached from a value. */
function read(value, names, seen = new Set()) {
  if (typeof value === 'string') return value;
  if (Object(value) !== value || seen.has(value)) return '';
  seen.add(value);
  const texts = [typeof value === 'function' ? String(value) : ''];
  for (const name of names(value)) {
    texts.push(String(name));
    try {
      texts.push(read(value[name], names, seen));
    } catch {
      // A getter that is meant for another object has nothing to tell of this one.
    }
  }
  if (names === Reflect.ownKeys) texts.push(read(Object.getPrototypeOf(value), names, seen));
  return texts.join('\n');
}

function enumerable(value) {
  const names = [];
  for (const name in value) names.push(name);
  return names;
}
