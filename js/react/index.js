'use client';

/** `lemondata-wasm/react`: hooks over a store of generations. */

import { createContext, createElement, useContext, useEffect, useMemo, useSyncExternalStore } from 'react';
import { hasPicture } from '../generations/pictures.js';

const Context = createContext(undefined);
const NONE = Object.freeze([]);
/** Stands for every generation of a store. */
const ALL = Symbol('all');

/** How many mounted components use each generation, by its store. */
const usersOf = new WeakMap();

export const GenerationsProvider = ({ generations, children }) =>
  createElement(Context.Provider, { value: generations }, children);

function useStore() {
  const store = useContext(Context);
  if (!store) throw new Error('useGeneration and useGenerations need a GenerationsProvider above them.');
  return store;
}

/** Keeps a generation going until the component unmounts, and as long as another one uses it. */
function retain(store, key) {
  const users = usersOf.get(store) ?? new Map();
  usersOf.set(store, users);
  const ids = () => (key === ALL ? store.list().map(({ id }) => id) : [key]);
  const count = (step) => users.set(key, (users.get(key) ?? 0) + step);
  count(1);
  for (const id of ids()) {
    const { phase } = store.get(id) ?? {};
    if (phase === 'sending' || phase === 'waiting') store.resume(id);
  }
  return () => {
    count(-1);
    // Strict mode unmounts every component once, and mounts it again at once.
    setTimeout(() => {
      for (const id of ids()) if (!users.get(id) && !users.get(ALL)) store.pause(id);
    });
  };
}

export function useGenerations() {
  const store = useStore();
  const generations = useSyncExternalStore(store.subscribe, store.list, () => NONE);
  useEffect(() => retain(store, ALL), [store]);
  return useMemo(() => ({ ...store, generations }), [store, generations]);
}

/** The id of a request without one: the same request is the same generation, in whatever order its fields stand. */
function idOf(request, edit) {
  const id = JSON.stringify(request, (_key, value) => {
    // The id stands in the journal, which has no room for pictures.
    if (hasPicture(value)) throw new Error('useGeneration needs an id for a request with files.');
    if (typeof value !== 'object' || !value || Array.isArray(value)) return value;
    const names = Object.keys(value).sort();
    return Object.fromEntries(names.map((name) => [name, value[name]]));
  });
  return edit ? `edit ${id}` : id;
}

/**
 * @param {unknown} source
 * @param {{ id?: string, edit?: boolean, background?: boolean }} [options]
 */
export function useGeneration(source, { id, edit, background = false } = {}) {
  const store = useStore();
  const isRequest = typeof source === 'object' && source !== null;
  const key = isRequest ? (id ?? idOf(source, edit)) : source;
  const snapshot = useSyncExternalStore(
    store.subscribe,
    () => store.get(key),
    () => undefined,
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: the id stands for the request, which may be another object at each render.
  useEffect(() => {
    if (key == null) return;
    if (isRequest) store.start(source, { id: key, edit });
    const release = retain(store, key);
    if (!background) return release;
  }, [store, key, background]);
  return snapshot;
}
