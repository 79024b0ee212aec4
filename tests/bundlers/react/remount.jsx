/** Mounts the picture of the samples, and takes it away, as the test asks for it. */

import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { Picture } from './sample/Picture.tsx';

const job = { id: 'a-picture', request: { model: 'gpt-image-2', prompt: 'A lemon' } };

function Stage() {
  const [there, setThere] = useState(true);
  globalThis.stage = setThere;
  return there && <Picture job={job} />;
}

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <Stage />
  </StrictMode>,
);
