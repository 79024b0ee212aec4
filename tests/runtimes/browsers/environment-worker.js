import { destination } from './destination.js';
import { generate } from './node_modules/lemondata-wasm/dist/index.js';

globalThis.process = { env: { LEMONDATA_API_KEY: 'sk-lemon', TOKENLAB_API_KEY: 'sk-token' } };
postMessage(await destination(generate, { dangerouslyAllowBrowser: true }));
