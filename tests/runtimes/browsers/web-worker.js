import { ask } from './ask.js';

globalThis.result = ask(new Worker('./in-worker.js', { type: 'module' }));
