/** A request that is another object at each render, as many would write it. */

import { GenerationsProvider, useGeneration } from 'lemondata-wasm/react';
import { createRoot } from 'react-dom/client';
import { generations } from './sample/generations.ts';

globalThis.renders = 0;

function Lemon() {
  globalThis.renders += 1;
  const generation = useGeneration({ model: 'gpt-image-2', prompt: 'A lemon' });
  return generation?.phase === 'done' ? <img src={generation.images[0].url} alt="A lemon" /> : <p>…</p>;
}

createRoot(document.getElementById('root')).render(
  <GenerationsProvider generations={generations}>
    <Lemon />
  </GenerationsProvider>,
);
