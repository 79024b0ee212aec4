/** Mounts the picture of the samples, and takes it away, as the test asks for it. */

import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { Picture } from './sample/Picture.jsx';

const job = { id: 'a-picture', request: { model: 'ideogram-v3', prompt: 'A lemon' } };

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
