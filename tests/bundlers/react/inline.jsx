/** A job that is another object at each render, as many would write it. */

import { createRoot } from 'react-dom/client';
import { useGeneration } from './sample/useGeneration.ts';

globalThis.renders = 0;

function Lemon() {
  globalThis.renders += 1;
  const { data } = useGeneration({ id: 'a-lemon', request: { model: 'gpt-image-2', prompt: 'A lemon' } });
  return data ? <img src={data[0].url} alt="A lemon" /> : <p>…</p>;
}

createRoot(document.getElementById('root')).render(<Lemon />);
