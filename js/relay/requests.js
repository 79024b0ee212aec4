/** Checks a create or an edit, and builds the request for the service from the fields that may pass. */

import { CREATE_FIELDS, EDIT_FIELDS, SOURCES } from './fields.js';
import { Refusal } from './refusal.js';

const MAX_MODEL_LENGTH = 128;
/** How many of the models on offer the refusal of another one names. */
const MAX_NAMED_MODELS = 20;
const MAX_SHOWN_NAME = 64;
/** Deeper than any field needs to be, and far from where a recursion would run out of stack. */
const MAX_DEPTH = 32;
/** The relay itself sets the user, and the models of a chain are not for the service. */
const NEVER = ['user', 'fallback', '__proto__'];
/** A chain is no longer than a person would write one. */
const MAX_FALLBACKS = 8;

const invalid = (param, message, more) =>
  new Refusal(400, 'invalid_request_error', message, { param, ...more });

const isShallow = (value, left = MAX_DEPTH) =>
  typeof value !== 'object' ||
  value === null ||
  (left > 0 && Object.values(value).every((item) => isShallow(item, left - 1)));

/** The same JSON with the fields of its objects in order: their order makes no other request. */
function ordered(value) {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  const object = Object.create(null);
  for (const name of Object.keys(value).sort()) object[name] = ordered(value[name]);
  return object;
}

/**
 * @param {import('./bodies.js').Body} body
 * @param {string | undefined} user for the service
 * @param {boolean} isEdit
 * @param {ReturnType<typeof import('./options.js').readOptions>} options
 * @returns {Record<string, any>} the fields for the service, without a prototype, in an order of our own
 * @throws {Refusal} names the first field that may not pass
 */
export function checkRequest({ content, files, isForm }, user, isEdit, options) {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw invalid(undefined, 'The request must be an object with a prompt.');
  }
  const { allowedFields, extraFields } = options;
  // Own fields alone, and into an object that inherits none. To the service, null is no value.
  const values = new Map(Object.entries(content).filter(([, value]) => value !== null));
  if (!values.has('n')) values.set('n', 1);
  const fields = Object.create(null);

  const model = checkModel(values.get('model'), options.models);
  if (model !== undefined) fields.model = model;
  values.delete('model');

  for (const [name, field] of Object.entries(isEdit && !isForm ? EDIT_FIELDS : CREATE_FIELDS)) {
    const sent = values.get(name);
    if ((sent === undefined && name !== 'prompt') || allowedFields.includes(name)) continue;
    const value = isForm && typeof sent === 'string' && field.fromText ? field.fromText(sent) : sent;
    if (!field.accepts(value, options)) throw invalid(name, `${name} must be ${field.expected(options)}.`);
    fields[name] = ordered(value);
    values.delete(name);
  }
  for (const name of NEVER) values.delete(name);

  for (const name of [...values.keys()].sort()) {
    if (extraFields !== 'pass' && !allowedFields.includes(name)) {
      if (extraFields === 'refuse') throw unknownField(name);
      continue;
    }
    if (!isShallow(values.get(name))) throw invalid(name, `${name} is nested too deeply.`);
    fields[name] = ordered(values.get(name));
  }
  checkFiles(files, isEdit);
  if (isEdit && !files.some(({ name }) => name === 'image') && !SOURCES.some((name) => name in fields)) {
    throw invalid('image', `An edit needs a picture: a file named image, or one of ${SOURCES.join(', ')}.`);
  }
  if (user !== undefined) fields.user = user;
  return fields;
}

function checkFiles(files, isEdit) {
  const names = files.map(({ name }) => name);
  const unknown = names.find((name) => name !== 'image' && !(isEdit && name === 'mask'));
  if (unknown !== undefined) throw unknownField(unknown);
  if (names.indexOf('mask') !== names.lastIndexOf('mask')) throw invalid('mask', 'mask must be one picture.');
}

/** The model of a request. Without one, it is the first on offer: the service's own choice may not be on offer. */
function checkModel(model, models, name = 'model') {
  if (model === undefined) return models?.[0];
  if (typeof model !== 'string' || model === '' || model.length > MAX_MODEL_LENGTH) {
    throw invalid(name, `${name} must be a text of 1 to ${MAX_MODEL_LENGTH} characters.`);
  }
  if (!models || models.includes(model)) return model;
  const named = models.slice(0, MAX_NAMED_MODELS).join(', ');
  const message = `This relay does not offer the model ${JSON.stringify(model)}. It offers ${named}.`;
  const suggestions = models.map((id) => ({ id }));
  // A client goes on with the next model where one is not found. A chain that names such a model has to be mended.
  const code = name === 'model' ? 'model_not_found' : 'invalid_request_error';
  throw new Refusal(400, code, message, { param: name, suggestions });
}

/**
 * The models that may get the request after the one that it names: those behind it, if it is one of them.
 *
 * @param {import('./bodies.js').Body} body
 * @param {string | undefined} model of the request
 * @param {{ models?: readonly string[] }} options
 * @returns {string[]}
 */
export function checkFallback({ content, isForm }, model, { models }) {
  const sent = Object(content).fallback ?? [];
  const list = isForm ? [sent].flat().join().split(',').filter(Boolean) : sent;
  if (!Array.isArray(list) || list.length > MAX_FALLBACKS) {
    throw invalid('fallback', `fallback must be a list of at most ${MAX_FALLBACKS} models.`);
  }
  const checked = list.map((each) => checkModel(each, models, 'fallback'));
  return checked.slice(checked.indexOf(model) + 1);
}

function unknownField(name) {
  const shown = name.slice(0, MAX_SHOWN_NAME);
  return invalid(shown, `This relay does not know the field ${JSON.stringify(shown)}.`, {
    hint: "To let it pass, the relay lists it in allowedFields; with extraFields: 'drop', it drops unknown fields.",
  });
}
