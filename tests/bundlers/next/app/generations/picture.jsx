'use client';

import { useGeneration } from 'lemondata-wasm/react';

export function Picture() {
  const generation = useGeneration({ model: 'gpt-image-2', prompt: 'A lemon' });
  if (generation?.phase !== 'done') return <p>…</p>;
  return <img src={generation.images[0].url} alt="A lemon" />;
}
