/** The declarations of `lemondata-wasm/slim`. */

import { expectTypeOf } from 'expect-type';
import type * as all from 'lemondata-wasm';
import * as slim from 'lemondata-wasm/slim';

expectTypeOf<Omit<typeof slim, 'init'>>().toEqualTypeOf<typeof all>();

declare const response: Response;
declare const module: WebAssembly.Module;
expectTypeOf(slim.init('/lemondata.wasm')).toEqualTypeOf<Promise<void>>();
slim.init(new URL('https://x.test/lemondata.wasm'));
slim.init(response);
slim.init(fetch('/lemondata.wasm'));
slim.init(new Uint8Array(8));
slim.init(new ArrayBuffer(8));
slim.init(module);
// @ts-expect-error: the module comes from somewhere
slim.init();
// @ts-expect-error: no source
slim.init(undefined);
