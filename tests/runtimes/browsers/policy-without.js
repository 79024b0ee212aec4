import { options } from './call-worker.js';
import { generate, InternalError } from './node_modules/lemondata-wasm/dist/index.js';

globalThis.result = generate({ model: 'gpt-image-2', prompt: 'a lemon' }, options).then(
  () => 'it started',
  (error) => ({
    isInternalError: error instanceof InternalError,
    message: error.message,
    outcome: error.outcome,
    cause: String(error.cause),
  }),
);
