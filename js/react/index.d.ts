/**
 * React hooks over a store of generations, for React 18 and 19.
 *
 * @module react
 */

import type { EditRequest, ImageRequest } from '../entries/index.js';
import type { GenerationSnapshot, Generations } from '../generations/index.js';

/** The properties of {@link GenerationsProvider}. */
export interface GenerationsProviderProps {
  /** The store, made outside of components. */
  generations: Generations;
  /** What may use the store. */
  children?: unknown;
}

/** An element as React's own types describe it: these declarations do not need them. */
export interface ProviderElement {
  // biome-ignore-start lint/suspicious/noExplicitAny: React's own types say so.
  /** The component. */
  type: any;
  /** Its properties. */
  props: any;
  // biome-ignore-end lint/suspicious/noExplicitAny: see above
  /** Its key among its siblings. */
  key: string | null;
}

/**
 * Provides the store of generations to the hooks below it.
 *
 * @example
 * ```tsx
 * const generations = createGenerations({ client });
 *
 * createRoot(root).render(
 *   <GenerationsProvider generations={generations}>
 *     <App />
 *   </GenerationsProvider>,
 * );
 * ```
 */
export declare function GenerationsProvider(props: GenerationsProviderProps): ProviderElement;

/** How {@link useGeneration} uses a generation. */
export interface UseGenerationOptions {
  /**
   * The id of a request's generation. Requests with files, or with pictures as `data:` URLs, need one.
   *
   * @defaultValue the request as JSON with its fields in order: the same request is the same generation, after a reload, too
   */
  id?: string | undefined;
  /**
   * Whether the request is an edit.
   *
   * @defaultValue `false`
   */
  edit?: boolean | undefined;
  /**
   * Whether the wait goes on after the last component that uses the generation has unmounted.
   *
   * @defaultValue `false`
   */
  background?: boolean | undefined;
}

/**
 * Shows a generation: that of an id, or that of a request, which is started when the component mounts. A request is
 * created once, however often components mount, render and unmount; a changed request is another generation.
 *
 * When the last component that uses the generation unmounts, the wait is paused. The task goes on at the server, and the
 * next mount goes on waiting.
 *
 * @example
 * ```tsx
 * function Lemon() {
 *   const generation = useGeneration({ model: 'gpt-image-2', prompt: 'A lemon' });
 *   return generation?.phase === 'done' ? <img src={generation.images[0]?.url} alt="A lemon" /> : null;
 * }
 * ```
 *
 * @param source a request, an id, or nothing yet
 * @returns the generation; `undefined` on the server, while its page is hydrated, and where there is none yet
 * @throws Error without a {@link GenerationsProvider}, or for a request that holds files or `data:` URLs and has no id
 */
export declare function useGeneration(
  source: ImageRequest | EditRequest | string | null | undefined,
  options?: UseGenerationOptions,
): GenerationSnapshot | undefined;

/** The generations of the store, with its methods, as {@link useGenerations} returns them. */
export interface UseGenerations
  extends Pick<Generations, 'start' | 'stop' | 'pause' | 'resume' | 'retry' | 'remove' | 'restore' | 'get'> {
  /** All generations, the newest first. */
  generations: readonly GenerationSnapshot[];
}

/**
 * Shows all generations, and has the methods of their store. While a component uses it, all of them go on.
 *
 * @example
 * ```tsx
 * function Lemons() {
 *   const { generations, start } = useGenerations();
 *   const draw = () => start({ model: 'gpt-image-2', prompt: 'A lemon' });
 *   return <button onClick={draw}>{generations.length} lemons</button>;
 * }
 * ```
 *
 * @throws Error without a {@link GenerationsProvider}
 */
export declare function useGenerations(): UseGenerations;
