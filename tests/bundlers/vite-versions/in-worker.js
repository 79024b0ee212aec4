import { generate, waitForTask } from 'lemondata-wasm';
import { exercise } from './exercise.js';

addEventListener('message', ({ data }) => {
  exercise({ generate, waitForTask }, data).then(
    (result) => postMessage({ result }),
    (error) => postMessage({ error: String(error) }),
  );
});
