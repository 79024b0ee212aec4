import { callWorker } from './call-worker.js';

globalThis.result = callWorker(new Worker('./in-worker.js', { type: 'module' }));
