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
