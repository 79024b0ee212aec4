/** The script of a worker of either kind: it answers through the port that comes with a message. */

import { exercise } from './exercise.js';
import { generate, waitForTask } from './node_modules/lemondata-wasm/dist/index.js';

addEventListener('message', (event) => {
  const [port] = event.ports;
  const work = exercise({ generate, waitForTask }, event.data).then(
    (result) => port.postMessage({ result }),
    (error) => port.postMessage({ error: String(error) }),
  );
  // A service worker would otherwise be free to stop.
  event.waitUntil?.(work);
});
