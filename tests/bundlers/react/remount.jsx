/** Mounts the picture of the samples, and takes it away, as the test asks for it. */

import { GenerationsProvider } from 'lemondata-wasm/react';
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { generations } from './sample/generations.ts';
import { Picture } from './sample/Picture.tsx';

const request = { model: 'gpt-image-2', prompt: 'A lemon' };

function Stage() {
  const [there, setThere] = useState(true);
  globalThis.stage = setThere;
  return there && <Picture source={request} />;
}

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <GenerationsProvider generations={generations}>
      <Stage />
    </GenerationsProvider>
  </StrictMode>,
);
