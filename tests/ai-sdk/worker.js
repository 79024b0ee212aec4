/** A worker that draws with the AI SDK. */

import { generateImage } from 'ai';
import { createLemonData } from 'lemondata-wasm/ai-sdk';

export default {
  async fetch(request, { KEY, BASE_URL }) {
    const { searchParams } = new URL(request.url);
    const lemonData = createLemonData({ apiKey: KEY, baseUrl: BASE_URL, pollInterval: { min: 1, max: 2 } });
    try {
      const { image } = await generateImage({
        model: lemonData.image(searchParams.get('model')),
        prompt: 'A lemon on a plate',
      });
      return new Response(image.uint8Array, { headers: { 'content-type': image.mediaType } });
    } catch (error) {
      return Response.json({ name: error.name, outcome: error.cause?.outcome }, { status: 502 });
    }
  },
};
