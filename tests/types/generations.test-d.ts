/** The declarations of `lemondata-wasm/generations` and `lemondata-wasm/react`. */

import { expectTypeOf } from 'expect-type';
import { type AnyLemonDataError, LemonData, LemonDataError } from 'lemondata-wasm';
import {
  createGenerations,
  type GenerationSnapshot,
  type Generations,
  type GenerationsClient,
  syncTabs,
} from 'lemondata-wasm/generations';
import { GenerationsProvider, useGeneration, useGenerations } from 'lemondata-wasm/react';

const client = new LemonData({ baseUrl: '/api/lemondata', relay: true });
expectTypeOf(client.relay).toEqualTypeOf<boolean>();

const generations = createGenerations({ client });
expectTypeOf(generations).toEqualTypeOf<Generations>();
createGenerations({ client, storage: localStorage, key: 'mine', locks: navigator.locks });
createGenerations({ client, storage: null, locks: null });
createGenerations({ client, sync: syncTabs });
// @ts-expect-error: it is no switch
createGenerations({ client, sync: true });
const items = new Map<string, string>();
createGenerations({
  client,
  storage: {
    getItem: async (key) => items.get(key) ?? null,
    setItem: async (key, value) => void items.set(key, value),
    removeItem: async (key) => void items.delete(key),
  },
});
// A stand-in for a client, as a test has it, need not know of a relay.
const { generateAndWait, editAndWait, waitForTask } = client;
createGenerations({ client: { generateAndWait, editAndWait, waitForTask } satisfies GenerationsClient });
// @ts-expect-error: it could not wait
createGenerations({ client: { generateAndWait, editAndWait } });

expectTypeOf(generations.start({ prompt: 'a lemon', model: 'gpt-image-2' })).toEqualTypeOf<string>();
generations.start({ prompt: 'a lemon', image: new Blob() }, { id: 'hero' });
generations.start({ prompt: 'a lime', image: [new Blob()] }, { edit: true });
generations.start<{ steps: number }>({ prompt: 'a lemon', steps: 4 });
// @ts-expect-error: a list of pictures is for edits
generations.start({ prompt: 'a lemon', image: [new Blob()] });
// @ts-expect-error: a misspelt field
generations.start({ promt: 'a lemon' });

const unsubscribe = generations.subscribe((all) => {
  expectTypeOf(all).toEqualTypeOf<readonly GenerationSnapshot[]>();
  // @ts-expect-error: snapshots do not change
  if (all[0]) all[0].phase = 'done';
});
expectTypeOf(unsubscribe).toEqualTypeOf<() => void>();

const snapshot = generations.get('hero');
expectTypeOf(snapshot).toEqualTypeOf<GenerationSnapshot | undefined>();
if (snapshot?.error instanceof LemonDataError) expectTypeOf(snapshot.error).toExtend<AnyLemonDataError>();
expectTypeOf(snapshot?.error?.message).toEqualTypeOf<string | undefined>();

export function Component() {
  const { generations: all, start, remove, restore } = useGenerations();
  expectTypeOf(all).toEqualTypeOf<readonly GenerationSnapshot[]>();
  start({ prompt: 'a lime', image: new Blob() }, { edit: true });
  remove('hero');
  if (snapshot) restore(snapshot);
  useGeneration('hero');
  useGeneration(null);
  useGeneration({ prompt: 'a lemon' }, { id: 'hero', background: true });
  // @ts-expect-error: a misspelt option
  useGeneration('hero', { backgrund: true });
  return GenerationsProvider({ generations, children: null });
}
