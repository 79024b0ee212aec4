/** What an application in TypeScript does with the provider: compiled with each version of the SDK. */

import { createProviderRegistry, generateImage, type ImageModel, wrapImageModel } from 'ai';
import { createLemonData, type ImageMetadata, lemonData } from 'lemondata-wasm/ai-sdk';

const provider = createLemonData({ apiKey: () => 'sk-1', fallback: ['nano-banana-2'], maxWait: 60_000 });
export const model: ImageModel = provider.image('gpt-image-2', { maxImagesPerCall: 4 });
export const others: ImageModel[] = [lemonData.imageModel('flux-2-pro')];
export const registry = createProviderRegistry({ lemondata: provider });
export const wrapped = wrapImageModel({ model: provider.image('gpt-image-2'), middleware: [] });

export async function draw(): Promise<ImageMetadata | undefined> {
  const { image, providerMetadata } = await generateImage({
    model,
    prompt: { text: 'A lemon', images: [new Uint8Array()] },
    n: 2,
    size: '1024x1024',
    providerOptions: {
      lemondata: { quality: 'high', fallback: ['nano-banana-2'], pollInterval: { min: 1 } },
    },
  });
  console.log(image.uint8Array.length);
  return (providerMetadata as { lemondata?: { images: ImageMetadata[] } }).lemondata?.images[0];
}

// @ts-expect-error an option that does not exist
createLemonData({ apiKye: 'sk-1' });
