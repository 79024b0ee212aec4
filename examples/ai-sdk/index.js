/** Draws a picture with the AI SDK: `npm start -- "A lemon on a windowsill"`. */

import { writeFile } from 'node:fs/promises';
import { generateImage } from 'ai';
import { createLemonData } from 'lemondata-wasm/ai-sdk';

const [prompt = 'A lemon on a windowsill'] = process.argv.slice(2);

const lemonData = createLemonData({
  apiKey: process.env.LEMONDATA_API_KEY,
  baseUrl: process.env.LEMONDATA_BASE_URL, // undefined: the real service
});

const { image, warnings } = await generateImage({ model: lemonData.image('gpt-image-2'), prompt });
for (const warning of warnings) console.warn(warning);
await writeFile('picture.png', image.uint8Array);
console.log(`picture.png: ${image.uint8Array.length} bytes`);
