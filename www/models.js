/** The models for the form: the list of the service, or the documented models where it cannot be loaded. */

import { listModels } from 'lemondata-wasm';
import { BASE_URL } from './config.js';

/** @type {import('./combobox.js').Suggestion[]} */
export const DOCUMENTED = [
  { value: 'gpt-image-2', note: 'edits' },
  { value: 'nano-banana-2', note: 'edits' },
  { value: 'nano-banana-pro', note: 'edits' },
  { value: 'nano-banana', note: 'edits' },
  { value: 'gemini-3-pro-image-preview', note: 'edits' },
  { value: 'grok-imagine-image' },
  { value: 'ideogram-v3', note: 'usually a task' },
  { value: 'flux-pro', note: 'usually a task' },
  { value: 'flux-schnell' },
  { value: 'dall-e-3' },
  { value: 'dall-e-2' },
  { value: 'stable-diffusion-3' },
  { value: 'midjourney', note: 'usually a task' },
];

/**
 * Loads the service's list through the relay.
 *
 * @returns {Promise<import('./combobox.js').Suggestion[]>} rejects with an error of the package
 */
export async function loadModels() {
  const models = await listModels({ baseUrl: BASE_URL, relay: true, view: 'compact' });
  return models.map(({ id, provider = '', supported_operations: operations = [] }) => ({
    value: id,
    note: [provider, operations.includes('image-edit') && 'edits'].filter(Boolean).join(', '),
  }));
}
