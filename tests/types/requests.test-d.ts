/** What may be asked for, and that a misspelt field does not compile. */

import { expectTypeOf } from 'expect-type';
import {
  type BlobEditRequest,
  type CompletedGeneration,
  type EditRequest,
  edit,
  editAndWait,
  type Generation,
  generate,
  generateAndWait,
  type ImageRequest,
  LemonData,
  type ModelName,
  type PendingGeneration,
  type UrlEditRequest,
} from 'lemondata-wasm';

const lemon = new LemonData({ apiKey: 'sk-test' });

// The documented fields.
const request: ImageRequest = {
  prompt: 'a lemon',
  model: 'dall-e-3',
  n: 1,
  size: '1792x1024',
  quality: 'hd',
  response_format: 'b64_json',
  style: 'natural',
  user: 'user-1',
};
const today: ImageRequest = {
  prompt: 'a lemon',
  model: 'gpt-image-2',
  operation: 'image-to-image',
  image: new Blob(),
  image_url: 'https://example.com/1.png',
  image_urls: ['https://example.com/1.png'] as const,
  reference_image_urls: ['https://example.com/1.png'],
  mask_url: 'https://example.com/mask.png',
  aspect_ratio: '16:9',
  resolution: '2K',
  quality: 'low',
  background: 'transparent',
  output_format: 'webp',
  output_compression: 80,
  moderation: 'low',
  negative_prompt: 'pips',
  expand_prompt: true,
  seed: 7,
  async: true,
  stream: false,
};
generate(today);
generate(request);
generateAndWait(request, { apiKey: 'sk-test' });
lemon.generate(request, { maxRetries: 0 });
lemon.generateAndWait({ prompt: 'a lemon' });
lemon.generateAndWait({ prompt: 'a lemon', model: undefined });

// Names and values that no document of today knows.
generate({ prompt: 'a lemon', model: 'lemon-9', size: '123x456', quality: 'best' });
generate({
  prompt: 'a lemon',
  aspect_ratio: '5:4',
  resolution: '8K',
  background: 'sky',
  output_format: 'avif',
});
generate({ prompt: 'a lemon', operation: 'outpainting', moderation: 'high' });
const model: string = 'lemon-9';
expectTypeOf(model).toExtend<ModelName>();
expectTypeOf<'lemon-9'>().toExtend<ModelName>();

// @ts-expect-error: the prompt is required
generate({ model: 'dall-e-3' });
// @ts-expect-error: a misspelt field
generate({ prompt: 'a lemon', modle: 'dall-e-3' });
// @ts-expect-error: a misspelt field instead of the required one
generate({ promt: 'a lemon' });
// @ts-expect-error: a misspelt field beside the required one
generateAndWait({ prompt: 'a lemon', promt: 'a lemon' });
// @ts-expect-error: a misspelt field
lemon.generate({ prompt: 'a lemon', qualty: 'hd' });
// @ts-expect-error: a misspelt field
lemon.generateAndWait({ prompt: 'a lemon', sizes: '1024x1024' });
// @ts-expect-error: a number
generate({ prompt: 'a lemon', n: '1' });
// @ts-expect-error: not a string
generate({ prompt: 'a lemon', model: 3 });
// @ts-expect-error: not one of the two formats
generate({ prompt: 'a lemon', response_format: 'base64' });
// @ts-expect-error: not one of the two styles
generate({ prompt: 'a lemon', style: 'vivd' });
// @ts-expect-error: not a request
generate('a lemon');
// @ts-expect-error: reserved
generate({ prompt: 'a lemon', stream: true });
// @ts-expect-error: a ratio is a text
generate({ prompt: 'a lemon', aspect_ratio: 16 / 9 });
// @ts-expect-error: a list
generate({ prompt: 'a lemon', image_urls: 'https://example.com/1.png' });
// @ts-expect-error: a generation takes one file
generate({ prompt: 'a lemon', image: [new Blob()] });
// @ts-expect-error: the pictures of an edit
generate({ prompt: 'a lemon', images: [{ image_url: 'https://example.com/1.png' }] });

// Edits: pictures as URLs, or as files.
declare const file: File;
const image_url = 'https://example.com/1.png';
edit({ prompt: 'a lemon', model: 'gpt-image-2', image_url, mask: { image_url } });
edit({ prompt: 'a lemon', image_urls: [image_url], n: 2, size: 'auto', async: true });
editAndWait({ prompt: 'a lemon', images: [{ image_url }, { file_id: 'file_1' }] }, { apiKey: 'sk-test' });
editAndWait({ prompt: 'a lemon', image: file });
lemon.edit({ prompt: 'a lemon', image: [file, new Blob()], mask: new Blob() }, { maxRetries: 0 });
lemon.editAndWait({ prompt: 'a lemon', image: [file] as const });
lemon.edit<{ strength: number }>({ prompt: 'a lemon', image_url, strength: 1 });
expectTypeOf<UrlEditRequest | BlobEditRequest>().toEqualTypeOf<EditRequest>();
expectTypeOf(edit({ prompt: 'a lemon', image_url })).toEqualTypeOf<Promise<Generation>>();
expectTypeOf(lemon.editAndWait({ prompt: 'a lemon', image_url })).toEqualTypeOf<
  Promise<CompletedGeneration>
>();
// @ts-expect-error: the prompt is required
edit({ image_url });
// @ts-expect-error: a misspelt field
edit({ prompt: 'a lemon', imag_url: image_url });
// @ts-expect-error: a picture is a file or has a URL
edit({ prompt: 'a lemon', image: image_url });
// @ts-expect-error: files and URLs do not mix
edit({ prompt: 'a lemon', image: file, image_url });
// @ts-expect-error: the mask of a file is a file
edit({ prompt: 'a lemon', image: file, mask: { image_url } });
// @ts-expect-error: the mask of a URL is a URL
edit({ prompt: 'a lemon', image_url, mask: file });
// @ts-expect-error: a URL or an id
edit({ prompt: 'a lemon', images: [{ url: image_url }] });
// @ts-expect-error: a named field of another type
lemon.edit<{ strength: number }>({ prompt: 'a lemon', image_url, strength: '1' });

// Extra request fields have to be named.
// @ts-expect-error: not documented, and not named
generate({ prompt: 'a lemon', guidance: '7' });
generate<{ guidance: string }>({ prompt: 'a lemon', guidance: '7' });
generateAndWait<{ steps?: number }>({ prompt: 'a lemon' });
lemon.generate<{ steps?: number }>({ prompt: 'a lemon', steps: 1 });
lemon.generateAndWait<{ tiled: boolean }>({ prompt: 'a lemon', tiled: true });
// @ts-expect-error: a named field that is required
generate<{ guidance: string }>({ prompt: 'a lemon' });
// @ts-expect-error: a named field of another type
generate<{ guidance: string }>({ prompt: 'a lemon', guidance: 7 });
// @ts-expect-error: a misspelt field beside a named one
generate<{ guidance: string }>({ prompt: 'a lemon', guidance: '7', modle: 'flux-pro' });
// @ts-expect-error: a misspelt name
lemon.generate<{ steps?: number }>({ prompt: 'a lemon', step: 1 });
// A documented field may be named, too.
generate<{ aspect_ratio: string }>({ prompt: 'a lemon', aspect_ratio: '16:9' });

// Without type arguments nothing is added to an answer.
expectTypeOf(generate({ prompt: 'a lemon' })).toEqualTypeOf<Promise<Generation>>();
expectTypeOf(generateAndWait({ prompt: 'a lemon' })).toEqualTypeOf<Promise<CompletedGeneration>>();
expectTypeOf<Generation>().toEqualTypeOf<CompletedGeneration | PendingGeneration>();

// Naming request fields adds nothing to an answer either.
const plain = generate<{ steps: number }>({ prompt: 'a lemon', steps: 1 });
expectTypeOf(plain).toEqualTypeOf<Promise<Generation>>();
