import { generate } from 'lemondata-wasm';
import { destination } from './destination.js';

addEventListener('fetch', (event) => event.respondWith(handle()));

async function handle() {
  const isSet = process.env.LEMONDATA_API_KEY !== undefined;
  return Response.json({ isSet, result: await destination(generate) });
}
