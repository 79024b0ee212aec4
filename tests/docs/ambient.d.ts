// What the samples leave to their reader. Without an import, the declarations are global.

/** What Vite makes of the file of the slim entry; its own types say the same. */
declare module '*.wasm?url' {
  const url: string;
  export default url;
}

// What Nuxt imports by itself.
declare function defineEventHandler<Result>(handler: (event: object) => Result): unknown;
declare function toWebRequest(event: object): Request;
declare function getRequestIP(event: object): string | undefined;
