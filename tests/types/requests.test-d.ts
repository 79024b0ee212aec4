/** What may be asked for, and that a misspelt field does not compile. */

import { expectTypeOf } from 'expect-type';
import {
  type CompletedGeneration,
  type Generation,
  generate,
  generateAndWait,
  type ImageRequest,
  LemonData,
  type Model,
  type PendingGeneration,
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
generate(request);
generateAndWait(request, { apiKey: 'sk-test' });
lemon.generate(request, { maxRetries: 0 });
lemon.generateAndWait({ prompt: 'a lemon' });
lemon.generateAndWait({ prompt: 'a lemon', model: undefined });

// Names that no catalogue of today knows.
generate({ prompt: 'a lemon', model: 'lemon-9', size: '123x456', quality: 'best' });
const model: string = 'lemon-9';
expectTypeOf(model).toExtend<Model>();
expectTypeOf<'lemon-9'>().toExtend<Model>();

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

// Extra request fields have to be named.
// @ts-expect-error: not documented, and not named
generate({ prompt: 'a lemon', aspect_ratio: '16:9' });
generate<{ aspect_ratio: string }>({ prompt: 'a lemon', aspect_ratio: '16:9' });
generateAndWait<{ seed?: number }>({ prompt: 'a lemon' });
lemon.generate<{ seed?: number }>({ prompt: 'a lemon', seed: 1 });
lemon.generateAndWait<{ async: boolean }>({ prompt: 'a lemon', async: true });
// @ts-expect-error: a named field that is required
generate<{ aspect_ratio: string }>({ prompt: 'a lemon' });
// @ts-expect-error: a named field of another type
generate<{ aspect_ratio: string }>({ prompt: 'a lemon', aspect_ratio: 16 / 9 });
// @ts-expect-error: a misspelt field beside a named one
generate<{ aspect_ratio: string }>({ prompt: 'a lemon', aspect_ratio: '16:9', modle: 'flux-pro' });
// @ts-expect-error: a misspelt name
lemon.generate<{ seed?: number }>({ prompt: 'a lemon', sed: 1 });

// Without type arguments nothing is added to an answer.
expectTypeOf(generate({ prompt: 'a lemon' })).toEqualTypeOf<Promise<Generation>>();
expectTypeOf(generateAndWait({ prompt: 'a lemon' })).toEqualTypeOf<Promise<CompletedGeneration>>();
expectTypeOf<Generation>().toEqualTypeOf<CompletedGeneration | PendingGeneration>();

// Naming request fields adds nothing to an answer either.
const plain = generate<{ seed: number }>({ prompt: 'a lemon', seed: 1 });
expectTypeOf(plain).toEqualTypeOf<Promise<Generation>>();
