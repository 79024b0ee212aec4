/** What may be asked: the body of a create is read up to a cap, and made anew from what is allowed in it. */

import { Refusal } from './refusal.js';

/** The fields that LemonData documents, but for those with a check of their own. */
const WORDS = ['quality', 'style', 'response_format', 'size'];
const MAX_WORD_LENGTH = 32;
const MAX_MODEL_LENGTH = 128;
/** Deeper than any field needs to be, and far from where a recursion would run out of stack. */
const MAX_DEPTH = 32;
const SIZE = /^(auto|[1-9]\d{1,4}x[1-9]\d{1,4})$/;
/** The fields that are checked by name: what has not come through there does not pass as any other field. */
const CHECKED = ['prompt', 'model', 'n', ...WORDS];
/** What the relay says by itself, and what is no field. */
const NEVER = ['user', '__proto__'];
/** The provider's own default. */
const DEFAULT_MODEL = 'dall-e-3';

const invalid = (param, message) => new Refusal(400, 'invalid_request_error', message, { param });

const isWord = (value) => typeof value === 'string' && value.length <= MAX_WORD_LENGTH;

const isShallow = (value, left = MAX_DEPTH) =>
  typeof value !== 'object' ||
  value === null ||
  (left > 0 && Object.values(value).every((item) => isShallow(item, left - 1)));

/** The same JSON with the fields of its objects in order: how a client orders them makes no other request of it. */
function ordered(value) {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  const object = Object.create(null);
  for (const name of Object.keys(value).sort()) object[name] = ordered(value[name]);
  return object;
}

/**
 * Makes the request that goes on.
 *
 * @param {unknown} body
 * @param {string | undefined} user
 * @param {Required<Pick<import('./index.js').RelayOptions, 'models' | 'sizes' | 'maxN' | 'maxPromptLength' | 'extraFields' | 'allowedFields'>>} rules
 */
export function checkRequest(body, user, rules) {
  const { models, sizes, maxN, maxPromptLength, extraFields, allowedFields } = rules;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalid(undefined, 'The request must be an object with a prompt.');
  }
  // Own fields alone, and into an object that inherits none.
  const given = new Map(Object.entries(body));
  const made = Object.create(null);

  const prompt = given.get('prompt');
  if (typeof prompt !== 'string' || prompt === '') throw invalid('prompt', 'prompt must be a string.');
  if (prompt.length > maxPromptLength) {
    throw invalid('prompt', `prompt must not be longer than ${maxPromptLength} characters.`);
  }
  made.prompt = prompt;

  const model = given.get('model') ?? (models?.includes(DEFAULT_MODEL) === false ? models[0] : DEFAULT_MODEL);
  if (typeof model !== 'string' || (models ? !models.includes(model) : model.length > MAX_MODEL_LENGTH)) {
    const suggestions = models?.map((id) => ({ id }));
    const refusal = new Refusal(400, 'model_not_found', 'This relay does not offer that model.', {
      param: 'model',
    });
    Object.assign(refusal.error, { suggestions });
    throw refusal;
  }
  made.model = model;

  const n = given.get('n') ?? 1;
  if (!Number.isInteger(n) || n < 1 || n > maxN)
    throw invalid('n', `n must be an integer from 1 to ${maxN}.`);
  made.n = n;

  for (const name of WORDS) {
    const value = given.get(name) ?? undefined;
    if (value === undefined) continue;
    if (!isWord(value) || (name === 'size' && !(sizes ? sizes.includes(value) : SIZE.test(value)))) {
      const choice =
        name === 'size' && sizes ? `one of ${sizes.join(', ')}` : 'one that the provider documents';
      throw invalid(name, `${name} must be ${choice}.`);
    }
    made[name] = value;
  }

  const passing = extraFields === 'pass' ? [...given.keys()] : [...allowedFields];
  for (const name of passing.sort()) {
    if (!given.has(name) || CHECKED.includes(name) || NEVER.includes(name)) continue;
    if (!isShallow(given.get(name))) throw invalid(name, `${name} is nested too deeply.`);
    made[name] = ordered(given.get(name));
  }
  if (extraFields === 'refuse') {
    // Whose request it is, the relay itself says; that a client says it, too, is no offence.
    const extra = [...given.keys()].find((name) => name !== 'user' && !(name in made));
    if (extra !== undefined) throw invalid(extra, 'This relay does not accept a field of that name.');
  }
  if (user !== undefined) made.user = user;
  return made;
}
