/**
 * The package without its WebAssembly module, for those who serve that beside their JavaScript: fewer bytes, and
 * browsers compile it while it arrives. All else is as in `lemondata-wasm`.
 *
 * @module slim
 */

export * from './index.js';

/** The platform's `WebAssembly.Module`. The types of Node have none unless the `dom` library comes with them. */
export type CompiledModule =
  typeof globalThis extends Record<'WebAssembly', Record<'Module', Record<'prototype', infer Module>>>
    ? Module
    : object;

/**
 * What holds the module, `lemondata-wasm/lemondata.wasm`: its URL, an answer of `fetch` (or a promise of it), its
 * bytes, or the compiled module.
 */
export type ModuleSource =
  | string
  | URL
  | Response
  | PromiseLike<Response>
  | ArrayBuffer
  | ArrayBufferView
  | CompiledModule;

/**
 * Provides the module: to be called before the first call of the package, which waits for it.
 *
 * @example
 * ```js
 * import { generate, init } from 'lemondata-wasm/slim';
 * // Vite
 * import url from 'lemondata-wasm/lemondata.wasm?url';
 *
 * await init(url);
 * ```
 *
 * @param source where the module comes from. It is compiled as it arrives where the server sends it as
 * `application/wasm`.
 * @returns a promise that rejects where the module cannot be had or compiled; then `init` may be called again
 */
export declare function init(source: ModuleSource): Promise<void>;
