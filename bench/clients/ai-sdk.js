/** The AI SDK's image call, with its provider for OpenAI-compatible services. It has no tasks. */

import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { experimental_generateImage as generateImage } from 'ai';

export function connect(baseUrl, apiKey) {
  const provider = createOpenAICompatible({ name: 'bench', apiKey, baseURL: `${baseUrl}/v1` });
  return {
    inline: () => generateImage({ model: provider.imageModel('inline'), prompt: 'a lemon' }),
    async blobs() {
      const { images } = await generateImage({
        model: provider.imageModel('payload'),
        prompt: 'a lemon',
        n: 4,
        maxImagesPerCall: 4,
      });
      return images.map((image) => new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (image.uint8Array)]));
    },
  };
}
