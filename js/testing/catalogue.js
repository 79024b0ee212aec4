/**
 * The models of the service: the seven that its older documents name, and those of 2026. One is no image model, so
 * that a filter by category has something to leave out.
 */

/** @typedef {'text-to-image' | 'image-to-image' | 'image-edit' | 'text-to-video'} Operation */

/**
 * @typedef {object} Model
 * @property {string} id
 * @property {string} owner
 * @property {'image' | 'video'} category
 * @property {boolean} isTask whether a create is answered with a task
 * @property {boolean} canAsync whether `async: true` makes the answer a task
 * @property {Operation[]} operations
 * @property {string[]} parameters beyond those of every model
 * @property {number} maxImages
 * @property {number} maxReferences
 * @property {string[]} aspectRatios
 * @property {string[]} resolutions
 * @property {boolean} hasFreeSizes whether the rules for the sizes of gpt-image-2 apply
 * @property {string} price of one picture, in US dollars
 * @property {number} [rank] among the recommended ones, from 1
 * @property {boolean} [takesAnything] whether nothing is known of its parameters
 * @property {boolean} [isLegacy] whether the older documents alone name it
 */

/** What every model takes. */
const COMMON = ['prompt', 'model', 'operation', 'n', 'response_format', 'user', 'stream'];
const REFERENCES = ['image_url', 'image_urls', 'reference_image_urls', 'images'];
const MASKS = ['mask_url', 'mask'];
const RATIOS = ['1:1', '3:2', '2:3', '4:3', '3:4', '16:9', '9:16', '21:9'];

/** @type {Operation[]} */
const EVERY_OPERATION = ['text-to-image', 'image-to-image', 'image-edit'];

/** The most characters of a prompt, for every model. */
export const PROMPT_MAX_CHARACTERS = 4000;

/**
 * @param {string} id
 * @param {string} owner
 * @param {Partial<Model>} [more] its parameters without those that follow from the rest
 * @returns {[string, Model]}
 */
function define(id, owner, { parameters = [], ...more } = {}) {
  const model = {
    id,
    owner,
    category: /** @type {const} */ ('image'),
    isTask: false,
    canAsync: false,
    operations: /** @type {Operation[]} */ (['text-to-image']),
    maxImages: 4,
    maxReferences: 0,
    aspectRatios: [],
    resolutions: [],
    hasFreeSizes: false,
    price: '0.04',
    ...more,
  };
  const all = [
    ...parameters,
    ...(model.canAsync ? ['async'] : []),
    ...(model.aspectRatios.length > 0 ? ['aspect_ratio'] : []),
    ...(model.resolutions.length > 0 ? ['resolution'] : []),
    ...(model.maxReferences > 0 ? [...REFERENCES, ...MASKS] : []),
  ];
  return [id, { ...model, parameters: all }];
}

const NANO_BANANA = { operations: EVERY_OPERATION, maxImages: 1, maxReferences: 3, aspectRatios: RATIOS };
const SD35 = {
  maxImages: 1,
  aspectRatios: RATIOS,
  parameters: ['negative_prompt', 'seed', 'output_format', 'size'],
};
const FLUX_2 = {
  operations: EVERY_OPERATION,
  maxReferences: 8,
  aspectRatios: RATIOS,
  parameters: ['size', 'seed', 'output_format'],
};

/** @typedef {'inline' | 'task'} AnswerKind */

/** @type {ReadonlyMap<string, Model>} */
export const MODELS = new Map([
  define('gpt-image-2', 'openai', {
    canAsync: true,
    operations: EVERY_OPERATION,
    parameters: [
      'size',
      'quality',
      'background',
      'output_format',
      'output_compression',
      'compression',
      'moderation',
    ],
    maxImages: 10,
    maxReferences: 16,
    hasFreeSizes: true,
    rank: 1,
  }),
  define('nano-banana', 'google', NANO_BANANA),
  define('nano-banana-2', 'google', { ...NANO_BANANA, resolutions: ['1K', '2K', '4K'], rank: 2 }),
  define('nano-banana-pro', 'google', {
    ...NANO_BANANA,
    isTask: true,
    canAsync: true,
    maxReferences: 14,
    resolutions: ['1K', '2K', '4K'],
    price: '0.15',
    rank: 3,
  }),
  define('gemini-3-pro-image-preview', 'google', { ...NANO_BANANA, resolutions: ['1K', '2K', '4K'] }),
  define('flux-2-pro', 'black-forest-labs', { ...FLUX_2, isTask: true, canAsync: true, rank: 4 }),
  define('flux-2-klein', 'black-forest-labs', { ...FLUX_2, price: '0.01' }),
  define('sd3.5-large', 'stability', SD35),
  define('sd3.5-medium', 'stability', { ...SD35, price: '0.02' }),
  define('grok-imagine-image', 'xai', {
    operations: EVERY_OPERATION,
    maxImages: 10,
    maxReferences: 3,
    aspectRatios: RATIOS,
    resolutions: ['1K', '2K'],
  }),
  define('ideogram-v3', 'ideogram', {
    isTask: true,
    canAsync: true,
    aspectRatios: RATIOS,
    parameters: ['size', 'negative_prompt', 'seed', 'style', 'expand_prompt'],
  }),
  define('dall-e-3', 'openai', { isLegacy: true, parameters: ['size', 'quality', 'style'], maxImages: 1 }),
  define('dall-e-2', 'openai', {
    isLegacy: true,
    operations: EVERY_OPERATION,
    parameters: ['size'],
    maxImages: 10,
    maxReferences: 1,
    price: '0.02',
  }),
  define('flux-schnell', 'black-forest-labs', {
    isLegacy: true,
    parameters: ['size', 'seed'],
    price: '0.003',
  }),
  define('stable-diffusion-3', 'stability', {
    isLegacy: true,
    parameters: ['size', 'negative_prompt', 'seed'],
  }),
  define('flux-pro', 'black-forest-labs', {
    isLegacy: true,
    isTask: true,
    canAsync: true,
    parameters: ['size', 'seed'],
  }),
  define('midjourney', 'midjourney', { isLegacy: true, isTask: true, canAsync: true, parameters: ['size'] }),
  define('seedance-2.0', 'bytedance', { category: 'video', isTask: true, operations: ['text-to-video'] }),
]);

/** What a request may hold for this model. @param {Model} model */
export const parametersOf = (model) => [...COMMON, ...model.parameters];

/**
 * The catalogue with further models, or with other answers of those that it has.
 *
 * @param {Record<string, AnswerKind>} answers by model
 * @returns {ReadonlyMap<string, Model>}
 */
export function withModels(answers) {
  const models = Object.entries(answers).map(([id, kind]) => {
    const isTask = kind === 'task';
    const model = MODELS.get(id);
    const defaults = { canAsync: true, operations: EVERY_OPERATION, maxReferences: 16, takesAnything: true };
    return model
      ? /** @type {const} */ ([id, { ...model, isTask }])
      : define(id, 'mock', { ...defaults, isTask });
  });
  return new Map([...MODELS, ...models]);
}

/**
 * The known models whose names are most like an unknown one.
 *
 * @param {string} name
 * @param {ReadonlyMap<string, Model>} models
 */
export function nearestModels(name, models) {
  // A name may be as long as a body. The first 64 characters decide which models it resembles.
  const short = name.slice(0, 64).toLowerCase();
  return [...models.values()]
    .filter(({ category }) => category === 'image')
    .map(({ id }) => ({ id, distance: editDistance(short, id) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 2)
    .map(({ id }) => id);
}

/**
 * The Levenshtein distance.
 *
 * @param {string} a
 * @param {string} b
 */
function editDistance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}
