/** Pictures of the studio that are dropped on the page: it offers the settings that they carry. */

import { settingsIn } from './on-demand.js';
import { toast } from './toast.js';
import { short } from './words.js';

/** Larger files are no pictures of the studio. */
const MAX_BYTES = 50 * 1024 * 1024;

/** @param {(request: import('lemondata-wasm').ImageRequest) => void} onUse */
export function setUpPictureDrop(onUse) {
  /** @param {DragEvent} event */
  const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes('Files');
  // Without this, the browser would leave the page for the file.
  addEventListener('dragover', (event) => hasFiles(event) && event.preventDefault());
  addEventListener('drop', async (event) => {
    if (!hasFiles(event)) return;
    // The form takes reference pictures.
    const isTaken = event.defaultPrevented;
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (!file || file.size > MAX_BYTES) return;
    const request = await settingsIn(new Uint8Array(await file.arrayBuffer()));
    if (request) {
      const action = { label: 'Use its settings', run: () => onUse(request) };
      // Another picture of the same prompt may have other settings.
      toast(`Made from “${short(request.prompt, 32)}”.`, action, { id: file });
    } else if (!isTaken) toast('This file carries no settings of the studio.');
  });
}
