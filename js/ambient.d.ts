/** What the build and some runtimes bring, for `tsc --checkJs`. */

declare module 'lemondata:glue' {
  const glue: (globals: object) => {
    imports: WebAssembly.Imports;
    start(exports: object): (...args: unknown[]) => void;
  };
  export default glue;
}
declare module 'lemondata:javascript-glue' {
  export { default } from 'lemondata:glue';
}
/** What the client needs of the place where it runs: the build takes a file of `js/places`. */
declare module 'lemondata:place' {
  /** What wasm-bindgen generates, as a function of the globals that it uses. */
  export const glue: typeof import('lemondata:glue').default;
  /** Gets the module, compiled. */
  export const load: () => WebAssembly.Module | Promise<WebAssembly.Module>;
  /** Whether the key would be in a visitor's hands. */
  export const inBrowser: () => boolean;
  /** Undefined where calls must not share their polls. */
  export const Subscriber: typeof import('./client/poll-sharing.js').Subscriber | undefined;
  /** Undefined where there is no environment with a key. */
  export const fillFromEnvironment: typeof import('./client/environment.js').fillFromEnvironment | undefined;
}
declare module 'lemondata:hub-glue' {
  const glue: (globals: object) => {
    imports: WebAssembly.Imports;
    start(exports: object): (...args: unknown[]) => unknown;
  };
  export default glue;
}
declare module 'lemondata:javascript' {
  export const Instance: typeof WebAssembly.Instance;
}
declare module 'lemondata:decoder' {
  const bytes: number[];
  export default bytes;
}
declare module 'lemondata:wasm' {
  const wasm: string;
  export default wasm;
}
/** An optional peer, which the repository does not install. */
declare module 'react';
declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
declare module '*.wasm?module' {
  const module: WebAssembly.Module;
  export default module;
}

declare const Deno: { permissions: { querySync(descriptor: object): { state: string } } } | undefined;
declare const Bun: unknown;
declare const EdgeRuntime: unknown;
declare const WorkerLocation: unknown;

interface ErrorConstructor {
  captureStackTrace?(target: object, above?: (...values: never) => unknown): void;
}
interface Uint8ArrayConstructor {
  fromBase64?(text: string): Uint8Array<ArrayBuffer>;
}
