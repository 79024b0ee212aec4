/** What a user does with pictures, and how it ends. */

const model = 'gpt-image-2';
const prompt = 'Peel it – très fin';
const URLS = ['https://pictures.example/1.png', 'https://pictures.example/2.png'];

/**
 * @typedef {object} Story plain JSON, since it travels
 * @property {string} name what it shows
 * @property {'edit' | 'editAndWait' | 'generate' | 'generateAndWait'} call
 * @property {Record<string, unknown>} request
 * @property {{ name?: string, size: number }[]} [images] sent as Blobs; those with a name are Files
 * @property {{ name?: string, size: number }} [mask]
 * @property {boolean} [isAborted] as soon as the service has the request
 * @property {boolean} [isResumed] by another client, from what was stored
 * @property {object} ends the fields of the result that matter
 * @property {number} [tasks] how many tasks there are
 */

/** @type {Story[]} */
export const STORIES = [
  {
    name: 'a picture goes as a Blob, and comes back changed',
    call: 'edit',
    request: { model, prompt, n: 2, output_format: 'webp', expand_prompt: false },
    images: [{ size: 5000 }],
    ends: { first: 'completed', last: 'completed' },
  },
  {
    name: 'an edit that runs as a task is waited for',
    call: 'editAndWait',
    request: { model: 'nano-banana-pro', prompt },
    images: [{ size: 5000 }],
    ends: { first: 'completed', last: 'completed' },
    tasks: 1,
  },
  {
    name: 'pictures and a mask go by URL, as JSON',
    call: 'edit',
    request: {
      model,
      prompt,
      images: URLS.map((image_url) => ({ image_url })),
      mask: { image_url: URLS[0] },
    },
    ends: { first: 'completed', last: 'completed' },
  },
  {
    name: 'several Files and a mask go in one form',
    call: 'edit',
    request: { model, prompt, size: '1024x1024', seed: 7, user: null },
    images: [{ name: 'Zitrone é.png', size: 5000 }, { size: 70_000 }, { name: 'c.png', size: 5001 }],
    mask: { size: 4000 },
    ends: { first: 'completed', last: 'completed' },
  },
  {
    name: 'a file of 10 MB leaves the memory of the module as it is',
    call: 'edit',
    request: { model, prompt },
    images: [{ size: 10_000_000 }],
    ends: { first: 'completed', last: 'completed' },
  },
  {
    name: 'an edit that is aborted rejects with the caller’s reason, and is not sent again',
    call: 'edit',
    request: { model: 'test-slow:5000', prompt },
    images: [{ size: 5000 }],
    isAborted: true,
    ends: { isReason: true },
  },
  {
    name: 'an edit that is refused says why, and what the model takes',
    call: 'edit',
    request: { model: 'test-error-400-parameter', prompt },
    images: [{ size: 5000 }],
    ends: {
      kind: 'invalid_request',
      outcome: 'rejected',
      code: 'unsupported_parameter',
      supportedParameters: ['model', 'prompt', 'aspect_ratio', 'image_urls'],
    },
  },
  {
    name: 'the task of an edit that fails is the failure of the edit',
    call: 'editAndWait',
    request: { model: 'test-task-failed-object', prompt },
    images: [{ size: 5000 }],
    ends: { kind: 'task_failed', outcome: 'failed' },
    tasks: 1,
  },
  {
    name: 'the task of an edit is resumed from what was stored',
    call: 'edit',
    request: { model: 'nano-banana-pro', prompt },
    images: [{ size: 5000 }],
    isResumed: true,
    ends: { first: 'pending', last: 'completed' },
    tasks: 1,
  },
  {
    name: 'a create takes a picture as a Blob, too',
    call: 'generateAndWait',
    request: { model, prompt, operation: 'image-to-image' },
    images: [{ name: 'lemon.png', size: 5000 }],
    ends: { first: 'completed', last: 'completed' },
  },
];
