/** What `lemondata-wasm/slim` exports: all of `index.js`, and the function that gets the module. */

export { init } from '../places/slim.js';
export * from './index.js';
