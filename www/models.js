/** The models for the form: the list of the service, or the documented models where it cannot be loaded. */

import { listModels } from 'lemondata-wasm';
import { BASE_URL } from './config.js';
import { toFormModel } from './form-model.js';

/** @typedef {import('./form-model.js').FormModel} FormModel */

/** @type {FormModel[]} */
export const DOCUMENTED = [
  { id: 'gpt-image-2', note: 'edits' },
  { id: 'nano-banana-2', note: 'edits' },
  { id: 'nano-banana-pro', note: 'edits' },
  { id: 'nano-banana', note: 'edits' },
  { id: 'gemini-3-pro-image-preview', note: 'edits' },
  { id: 'grok-imagine-image' },
  { id: 'ideogram-v3', note: 'usually a task' },
  { id: 'flux-pro', note: 'usually a task' },
  { id: 'flux-schnell' },
  { id: 'dall-e-3' },
  { id: 'dall-e-2' },
  { id: 'stable-diffusion-3' },
  { id: 'midjourney', note: 'usually a task' },
];

/** @type {Promise<FormModel[]> | undefined} */
let loading;

/**
 * Loads the service's list through the relay, once.
 *
 * @returns {Promise<FormModel[]>} rejects with an error of the package; then the next call loads it again
 */
export function loadModels() {
  loading ??= load().catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load() {
  const models = await listModels({ baseUrl: BASE_URL, relay: true, view: 'full' });
  return models.map(toFormModel);
}
