/**
 * What the server accepts as a create: a generation or an edit, as JSON or as a form.
 */
import { fromBase64 } from './bytes.js';
import { nearestModels, PROMPT_MAX_CHARACTERS, parametersOf } from './catalogue.js';
import { invalidRequest, modelNotFound, Refusal, unsupportedParameter } from './errors.js';
import { CREATE_RULES, EDIT_RULES, fault, fromTexts, MAX_REFERENCES, MAX_SIDE, parseSize } from './fields.js';
import { referenceOf, typeOf } from './references.js';

/** @typedef {import('./errors.js').Problem} Problem */
/** @typedef {import('./catalogue.js').Model} Model */
/** @typedef {import('./references.js').Reference} Reference */
/** @typedef {import('./fields.js').Fault} Fault */

/** A model of this prefix selects a scenario: see `scenarios.js`. */
export const SCENARIO_MODEL_PREFIX = 'test-';

/** The fields that name the pictures to edit, of which a request has one. */
const SOURCES = ['image_url', 'image_urls', 'images'];

/** The pixels on the longer side of each resolution. */
const RESOLUTIONS = { '1K': 1024, '2K': 2048, '4K': MAX_SIDE };

/**
 * @typedef {object} CreateRequest
 * @property {string} prompt
 * @property {string} model
 * @property {boolean} isTask whether the answer is a task
 * @property {boolean} isAsync whether `async: true` asks for one
 * @property {number} n
 * @property {number} width
 * @property {number} height
 * @property {boolean} base64 pictures are wanted in the answer itself
 * @property {Reference[]} references
 * @property {Reference} [mask]
 */

/**
 * Checks a create and fills in the defaults. A field that no document names is accepted, unless the server is strict.
 *
 * @param {import('./body.js').Body} body
 * @param {object} options
 * @param {boolean} options.isEdit
 * @param {boolean} options.isStrict whether a model is needed, and has to know each field
 * @param {(url: string) => Uint8Array | undefined} options.pictureAt the picture behind a URL of this server
 * @param {ReadonlyMap<string, Model>} options.models
 * @param {import('./references.js').DecodePng} [options.decodePng]
 * @returns {CreateRequest}
 * @throws {Refusal}
 */
export function parseCreate({ fields: received, files, isForm }, options) {
  const { isEdit, isStrict, pictureAt, models, decodePng } = options;
  const fields = isForm ? fromTexts(received, isEdit ? EDIT_RULES : CREATE_RULES) : received;
  const problems = problemsIn({ fields, files, isForm }, { isEdit, isStrict });
  if (problems.length > 0) {
    const isLong = problems[0].field === 'prompt' && problems[0].code === 'too_big';
    throw new Refusal(
      invalidRequest(problems, isLong ? { prompt_max_characters: PROMPT_MAX_CHARACTERS } : {}),
    );
  }

  const name = /** @type {string} */ (fields.model ?? 'dall-e-3');
  const model = modelOf(name, models);
  if (fields.stream) {
    throw new Refusal(unsupportedParameter(name, 'stream', {}));
  }
  if (model) {
    checkOperation(model, isEdit ? 'image-edit' : fields.operation);
    if (isStrict && !model.takesAnything) {
      checkModel(model, fields, files);
    }
  }
  const [width, height] = sizeOf(fields);
  const toReference = (/** @type {unknown} */ source) => {
    if (ArrayBuffer.isView(source)) {
      return referenceOf(/** @type {Uint8Array} */ (source), decodePng);
    }
    const address = typeof source === 'string' ? source : Object.values(Object(source))[0];
    return referenceOf(bytesOf(address) ?? pictureAt(address) ?? address, decodePng);
  };
  const mask = files.find((file) => file.name === 'mask')?.bytes ?? fields.mask ?? fields.mask_url;
  return {
    prompt: /** @type {string} */ (fields.prompt),
    model: name,
    isTask: model?.isTask ?? false,
    isAsync: fields.async === true && (model?.canAsync ?? true),
    n: Number(fields.n ?? 1),
    width,
    height,
    base64: fields.response_format === 'b64_json',
    references: [
      ...files.filter((file) => file.name !== 'mask').map(({ bytes }) => toReference(bytes)),
      ...referencesIn(fields).map(toReference),
    ],
    mask: mask === undefined ? undefined : toReference(mask),
  };
}

/**
 * @param {import('./body.js').Body} body
 * @param {{ isEdit: boolean, isStrict: boolean }} options
 * @returns {Problem[]}
 */
function problemsIn({ fields, files, isForm }, { isEdit, isStrict }) {
  /** @type {Problem[]} */
  const problems = [];
  const add = (/** @type {string} */ field, /** @type {Fault} */ found) =>
    found && problems.push({ field, ...found });

  for (const field of isEdit || isStrict ? ['model', 'prompt'] : ['prompt']) {
    if (fields[field] === undefined) {
      add(field, fault(`${field[0].toUpperCase()}${field.slice(1)} is required`, 'required'));
    }
  }
  for (const [field, { check }] of Object.entries(isEdit ? EDIT_RULES : CREATE_RULES)) {
    add(field, fields[field] === undefined ? undefined : check(fields[field]));
  }
  for (const [field, found] of fileFaults(files, isEdit)) {
    add(field, found);
  }
  if (isEdit) {
    const sources = [...SOURCES.filter((name) => fields[name] !== undefined), ...(isForm ? ['image'] : [])];
    const isMissing = isForm && !files.some(({ name }) => name !== 'mask');
    if (sources.length !== 1 || isMissing) {
      const message = isForm
        ? 'Needs one or more files, and no URLs'
        : `Give exactly one of ${SOURCES.join(', ')}`;
      add(isForm ? 'image' : 'image_url', fault(message, 'required'));
    }
  }
  return problems;
}

/**
 * @param {import('./body.js').Part[]} files
 * @param {boolean} isEdit
 * @returns {[string, Fault][]}
 */
function fileFaults(files, isEdit) {
  const names = isEdit ? ['image', 'image[]', 'mask'] : ['image'];
  const images = files.filter(({ name }) => name !== 'mask');
  const most = isEdit ? MAX_REFERENCES : 1;
  /** @type {[string, Fault][]} */
  const found = files.map(({ name, bytes }) => {
    if (!names.includes(name)) {
      return [name, fault('Is no field for a file', 'unrecognized_key')];
    }
    return [name, typeOf(bytes) ? undefined : fault('Is no PNG, JPEG or WebP', 'invalid_image')];
  });
  if (images.length > most) {
    found.push(['image', fault(`At most ${most} files`, 'too_big')]);
  }
  if (files.length - images.length > 1) {
    found.push(['mask', fault('At most 1 file', 'too_big')]);
  }
  return found;
}

/** The URLs and file ids of a request. @param {Record<string, unknown>} fields */
function referencesIn({ image_url, image_urls, reference_image_urls, images }) {
  return [image_url, image_urls, reference_image_urls, images]
    .flat()
    .filter((source) => source !== undefined);
}

/** The bytes of a data URL. @param {string} address */
function bytesOf(address) {
  const [, base64] = /^data:[^,]*;base64,(.*)$/s.exec(address) ?? [];
  return base64 === undefined ? undefined : fromBase64(base64);
}

/**
 * The model of a name; none for one that selects a scenario, which takes everything.
 *
 * @param {string} name
 * @param {ReadonlyMap<string, Model>} models
 * @throws {Refusal} for a name that is unknown
 */
function modelOf(name, models) {
  const model = models.get(name);
  if (model?.category !== 'image' && !name.startsWith(SCENARIO_MODEL_PREFIX)) {
    throw new Refusal(modelNotFound(name, nearestModels(name, models)));
  }
  return model;
}

/**
 * @param {Model} model
 * @param {unknown} operation
 */
function checkOperation({ id, operations }, operation) {
  if (operation !== undefined && !operations.includes(/** @type {any} */ (operation))) {
    const message = `Model '${id}' does not support ${operation}`;
    const hints = { supported_operations: operations };
    throw new Refusal(
      invalidRequest([{ field: 'operation', message, code: 'unsupported_operation' }], hints),
    );
  }
}

/**
 * Refuses what a model of today does not take.
 *
 * @param {Model} model
 * @param {Record<string, unknown>} fields
 * @param {import('./body.js').Part[]} files
 */
function checkModel(model, fields, files) {
  const { id, operations, aspectRatios, resolutions, maxImages, maxReferences } = model;
  const supported = parametersOf(model);
  const unknown = Object.keys(fields).find((name) => !supported.includes(name));
  if (unknown !== undefined) {
    throw new Refusal(
      unsupportedParameter(id, unknown, {
        supported_parameters: supported,
        supported_operations: operations,
        recommended_request: { model: id, prompt: 'A lemon on a windowsill' },
      }),
    );
  }
  /**
   * @param {boolean} isBad
   * @param {string} field
   * @param {string} message
   * @param {Record<string, unknown>} [hints]
   */
  const refuse = (isBad, field, message, hints) => {
    if (isBad) {
      throw new Refusal(invalidRequest([{ field, message, code: 'invalid_value' }], hints));
    }
  };
  const { aspect_ratio, resolution, n } = fields;
  const isOutside = (/** @type {unknown} */ value, /** @type {string[]} */ allowed) =>
    value !== undefined && !allowed.includes(/** @type {string} */ (value));
  refuse(isOutside(aspect_ratio, aspectRatios), 'aspect_ratio', `Must be one of ${aspectRatios.join(', ')}`, {
    allowed_aspect_ratios: aspectRatios,
  });
  refuse(isOutside(resolution, resolutions), 'resolution', `Must be one of ${resolutions.join(', ')}`, {
    allowed_resolutions: resolutions,
  });
  refuse(Number(n ?? 1) > maxImages, 'n', `Must be at most ${maxImages} for this model`);
  const references = referencesIn(fields).length + files.filter(({ name }) => name !== 'mask').length;
  refuse(references > maxReferences, 'image', `At most ${maxReferences} pictures for this model`);
  if (model.hasFreeSizes) {
    const size = fields.size === 'auto' ? null : parseSize(fields.size);
    refuse(
      size !== null && !isFreeSize(size),
      'size',
      'Both sides must be multiples of 16, at most 3840, with a ratio of at most 3:1 and 655,360 to 8,294,400 pixels',
    );
    refuse(fields.background === 'transparent', 'background', 'Must be auto or opaque for this model');
  }
}

/** @param {[number, number]} size */
function isFreeSize([width, height]) {
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  const pixels = width * height;
  return (
    width % 16 === 0 &&
    height % 16 === 0 &&
    long <= 3840 &&
    long <= 3 * short &&
    pixels >= 655_360 &&
    pixels <= 8_294_400
  );
}

/**
 * @param {Record<string, unknown>} fields checked
 * @returns {[number, number]}
 */
function sizeOf({ size, aspect_ratio, resolution }) {
  if (size !== undefined && size !== 'auto') {
    return /** @type {[number, number]} */ (parseSize(size));
  }
  const long = RESOLUTIONS[/** @type {keyof typeof RESOLUTIONS} */ (resolution)] ?? 1024;
  const [, ...sides] = /^(\d{1,3}):(\d{1,3})$/.exec(String(aspect_ratio)) ?? [];
  const ratio = sides.map(Number).filter((side) => side > 0);
  const [across = 1, down = 1] = ratio.length === 2 ? ratio : [];
  const unit = long / Math.max(across, down);
  return [Math.max(1, Math.round(across * unit)), Math.max(1, Math.round(down * unit))];
}
