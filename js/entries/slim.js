/** `lemondata-wasm/slim`: the same, and the function that gets its module. */

export { init } from '../places/slim.js';
export * from './index.js';
