/** What an application does with each entry, in whatever environment its types describe. */

import {
  type EditRequest,
  editAndWait,
  generateAndWait,
  getTask,
  LemonData,
  LemonDataError,
  listModels,
  type Options,
  toBlob,
  waitForTask,
} from 'lemondata-wasm';
import { createGenerations, type GenerationsStorage } from 'lemondata-wasm/generations';
import { GenerationsProvider, useGeneration } from 'lemondata-wasm/react';
import {
  anonymousByIp,
  cloudflareLimiter,
  createRelay,
  type Hub,
  type Limiter,
  memoryLimiter,
  memoryStore,
  type RateLimitBinding,
  type RelayOptions,
  toCloudflare,
  toNextRoute,
  toNodeHandler,
} from 'lemondata-wasm/relay';
import { init, type ModuleSource, generate as slimGenerate } from 'lemondata-wasm/slim';

declare const signal: AbortSignal;

/** A task as a store holds it: a column without a value is there, as `null` or `undefined`. */
interface Row {
  id: string;
  task_id: string;
  status: string;
  poll_url: string | null;
  created: number | undefined;
}
declare const row: Row;
declare const bare: { id: string; poll_url: string | undefined };
declare const ended: {
  status: 'completed';
  task_id: string | null;
  data: { url: string | null; b64_json: string | undefined; revised_prompt: string | null }[];
};

export async function client(apiKey: string | undefined, seed?: number): Promise<Blob | undefined> {
  const options: Options = {
    apiKey,
    signal,
    headers: new Headers({ 'x-tenant': 'a' }),
    fetch: (url, init) => fetch(url, init),
    pollInterval: { min: 1, max: undefined },
    onResponse: ({ status, rateLimit }) => void [status, rateLimit.remaining],
  };
  const lemon = new LemonData(options);
  const request = { prompt: 'a lemon', model: undefined, seed: seed ?? 1 };
  try {
    const generation = await lemon.generate<{ seed: number }, { cost?: number }>(request);
    if (generation.status !== 'completed') await lemon.waitForTask(generation, { maxPolls: 3 });
    const { data } = await generateAndWait({ prompt: 'a lemon' }, options);
    const image = data[0];
    return image && (await toBlob(image, options));
  } catch (error) {
    if (!(error instanceof LemonDataError)) throw error;
    if (error.kind === 'wait_timeout') await waitForTask(error.task);
    return undefined;
  }
}

export async function edit(file: Blob, prompt: string, names: string[]): Promise<string[]> {
  const request: EditRequest = { prompt, image: [file], mask: file, n: undefined };
  const { model, usage } = await editAndWait(request, { fallback: names });
  await editAndWait({ prompt, images: [{ image_url: 'https://x.test/1.png' }], aspect_ratio: undefined });
  // @ts-expect-error: files and URLs do not mix
  await editAndWait({ prompt, image: file, image_url: 'https://x.test/1.png' });
  const models = await listModels({ signal, view: 'compact' });
  return [model ?? '', String(usage?.total_tokens), ...models.map(({ id }) => id)];
}

export async function resume(): Promise<void> {
  await waitForTask(row);
  await getTask(bare);
  await waitForTask({ task_id: row.task_id, poll_url: row.poll_url });
  await waitForTask({ id: 'img_1', poll_url: undefined });
  const { data } = await waitForTask(ended);
  for (const image of ended.data) await toBlob(image);
  for (const image of data) await toBlob(image);
  // @ts-expect-error: nothing names the task
  await waitForTask({ poll_url: '/v1/tasks/img_1' });
  // @ts-expect-error: an id is a text
  await waitForTask({ id: 1 });
  // @ts-expect-error: a misspelt option
  await waitForTask('img_1', { maxwait: 1 });
}

declare const answer: Response;
export async function slim(bytes: Uint8Array, view: DataView): Promise<void> {
  const sources: ModuleSource[] = ['/lemondata.wasm', answer, fetch('/lemondata.wasm'), bytes, view];
  sources.push(new URL('https://x.test/lemondata.wasm'), new ArrayBuffer(8));
  for (const source of sources) await init(source);
  // @ts-expect-error: no source
  await init(undefined);
  await slimGenerate({ prompt: 'a lemon' });
}

declare const hub: Hub;
declare const binding: RateLimitBinding;
declare const settings: {
  creates: number | undefined;
  origin: string | undefined;
  polls: RateLimitBinding | undefined;
};
export function relay(request: Request): unknown {
  const limiter: Limiter = memoryLimiter({ creates: settings.creates });
  const options: RelayOptions = {
    apiKey: 'sk-x',
    secret: 'x'.repeat(32),
    authorize: ({ headers }) => headers.get('x-user'),
    models: ['gpt-image-2'],
    baseUrl: settings.origin,
    fetch,
    hub: { ...hub, watch: async () => undefined },
    store: memoryStore({ maxEntries: settings.creates }),
    limiter,
  };
  const made = createRelay(options);
  createRelay({ ...options, authorize: anonymousByIp({ from: undefined }) });
  cloudflareLimiter({ creates: binding, polls: settings.polls });
  toNextRoute(made, { origin: settings.origin });
  toNodeHandler(made, { origin: settings.origin });
  return toCloudflare(() => made).fetch(request, {}, {});
}

declare const storage: GenerationsStorage;
export function generations(seed?: number): unknown {
  const made = createGenerations({ client: new LemonData({ relay: true }), storage, key: undefined });
  const id = made.start({ prompt: 'a lemon', seed }, { id: undefined });
  made.subscribe(([first]) => void first?.error?.message);
  return [
    useGeneration(id, { background: true })?.images[0]?.url,
    GenerationsProvider({ generations: made }),
  ];
}
