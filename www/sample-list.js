/** The samples of an empty feed. The embedded server draws their pictures, smaller than a generation would be. */

/**
 * @typedef {object} Sample
 * @property {{ model: string, prompt: string, size: string }} request
 * @property {number} width of its picture
 * @property {number} height
 */

/** @type {Sample[]} */
export const SAMPLES = [
  ['gpt-image-2', 'Sunset above a quiet sea, gold on the water'],
  ['flux-2-pro', 'A small town at night, rain on the street'],
  ['ideogram-v3', 'Snow on a mountain pass at dawn, seen from a train'],
  ['flux-pro', 'Autumn in the mountains, first frost'],
  ['nano-banana-2', 'A desert before noon, long dunes'],
  ['midjourney', 'A lemon tree on a hill, yellow evening light'],
].map(([model, prompt]) => ({ request: { model, prompt, size: '1536x1024' }, width: 384, height: 256 }));

/** @param {number} index */
export const samplePath = (index) => `/samples/${index}.png`;
