// What the samples leave to their reader. Without an import, the declarations are global.

/** What Vite makes of the file of the slim entry; its own types say the same. */
declare module '*.wasm?url' {
  const url: string;
  export default url;
}

// What Nuxt imports by itself.
declare function defineEventHandler<Result>(handler: (event: object) => Result): unknown;
declare function defineNuxtConfig(config: {
  compatibilityDate: string;
  nitro?: { experimental?: { wasm?: boolean } };
}): unknown;
declare function toWebRequest(event: object): Request;
declare function getRequestIP(event: object): string | undefined;

/** As much of node-redis as the samples use. */
declare module 'redis' {
  export interface RedisClientType {
    set(key: string, value: string, options: { NX?: true; PX?: number }): Promise<string | null>;
    get(key: string): Promise<string | null>;
    del(key: string): Promise<number>;
    incr(key: string): Promise<number>;
    pExpire(key: string, ms: number): Promise<number>;
  }
}

/** As much of the client of S3 as the samples use. */
declare module '@aws-sdk/client-s3' {
  export class S3Client {
    constructor(configuration: object);
    send(command: PutObjectCommand): Promise<object>;
  }
  export class PutObjectCommand {
    constructor(input: { Bucket: string; Key: string; Body: Uint8Array; ContentType: string });
  }
}

declare function ref<Value>(value: Value): { value: Value };

// What Svelte compiles away.
declare function $state<Value>(value: Value): Value;

// Astro, and what it generates.
declare module 'astro' {
  export interface APIContext {
    request: Request;
    clientAddress: string;
  }
}
declare module 'astro:env/server' {
  export function getSecret(name: string): string | undefined;
}

// SvelteKit, and what it generates.
declare module '$env/dynamic/private' {
  export const env: Record<string, string | undefined>;
}
declare module '@sveltejs/kit' {
  export interface RequestEvent {
    request: Request;
    getClientAddress(): string;
  }
}

// What an extension finds; the types come from `@types/chrome`.
declare const chrome: {
  runtime: {
    getPlatformInfo(): Promise<object>;
    onMessage: {
      addListener(
        listener: (message: { prompt: string }, sender: object, respond: (answer: object) => void) => boolean,
      ): void;
    };
  };
};
