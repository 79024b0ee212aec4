/** What comes back, and what names a task. */

import { expectTypeOf } from 'expect-type';
import {
  type AnyLemonDataError,
  type CompletedGeneration,
  type Generation,
  generate,
  generateAndWait,
  getTask,
  type Image,
  type LemonData,
  listModels,
  type Model,
  type PendingGeneration,
  type SkippedModel,
  type Task,
  type TaskRef,
  toBlob,
  type Usage,
  waitForTask,
} from 'lemondata-wasm';

declare const generation: Generation;
declare const completed: CompletedGeneration;
declare const pending: PendingGeneration;
declare const task: Task;
declare const lemon: LemonData;

// The status tells the two apart.
if (generation.status === 'completed') {
  expectTypeOf(generation).toEqualTypeOf<CompletedGeneration>();
  expectTypeOf(generation.data).toEqualTypeOf<Image[]>();
  expectTypeOf(generation.data[0]?.url).toEqualTypeOf<string | undefined>();
  expectTypeOf(generation.task_id).toEqualTypeOf<string | undefined>();
} else {
  expectTypeOf(generation).toEqualTypeOf<PendingGeneration>();
  expectTypeOf(generation.status).toEqualTypeOf<'pending' | 'processing'>();
  expectTypeOf(generation.task_id).toEqualTypeOf<string>();
  expectTypeOf(generation.progress).toEqualTypeOf<number | undefined>();
}
// @ts-expect-error: there are images only after a look at the status
generation.data;
// @ts-expect-error: a failed task rejects, so that no generation has this status
generation.status === 'failed';
// @ts-expect-error: a misspelt field
completed.dta;

// What it cost, and which model made it.
for (const { model, skipped_models, billing_transaction_id, usage } of [completed, pending]) {
  expectTypeOf(model).toEqualTypeOf<string | undefined>();
  expectTypeOf(skipped_models).toEqualTypeOf<SkippedModel[] | undefined>();
  expectTypeOf(billing_transaction_id).toEqualTypeOf<string | undefined>();
  expectTypeOf(usage).toEqualTypeOf<Usage | undefined>();
  expectTypeOf(usage?.total_tokens).toEqualTypeOf<number | undefined>();
  expectTypeOf(usage?.input_tokens_details).toBeUnknown();
  for (const skipped of skipped_models ?? []) expectTypeOf(skipped.error).toEqualTypeOf<AnyLemonDataError>();
}

// All that names a task.
waitForTask('img_1');
waitForTask({ task_id: 'img_1' });
waitForTask({ task_id: 'img_1', poll_url: '/v1/tasks/img_1' });
waitForTask({ id: 'img_1' });
waitForTask({ id: 'img_1', poll_url: '/v1/tasks/img_1' });
waitForTask(task);
waitForTask(generation);
waitForTask(completed);
waitForTask(pending, { maxWait: 60_000 });
waitForTask(JSON.parse('{}'));
getTask(pending);
lemon.waitForTask(task);
lemon.getTask('img_1');
expectTypeOf<Task>().toExtend<TaskRef>();
expectTypeOf<Generation>().toExtend<TaskRef>();
// @ts-expect-error: no id
waitForTask({ poll_url: '/v1/tasks/img_1' });
// @ts-expect-error: a misspelt field
waitForTask({ task_id: 'img_1', pol_url: '/v1/tasks/img_1' });
// @ts-expect-error: a number
waitForTask(1);
// @ts-expect-error: a task is needed
waitForTask();

expectTypeOf(waitForTask('img_1')).toEqualTypeOf<Promise<CompletedGeneration>>();
expectTypeOf(getTask('img_1')).toEqualTypeOf<Promise<Generation>>();
expectTypeOf(lemon.waitForTask('img_1')).toEqualTypeOf<Promise<CompletedGeneration>>();
expectTypeOf(lemon.getTask('img_1')).toEqualTypeOf<Promise<Generation>>();

// Extra fields of an answer.
type Video = { video_url: string };
const video = await waitForTask<Video>('ldtask_1');
expectTypeOf(video.video_url).toEqualTypeOf<string>();
expectTypeOf(video.data).toEqualTypeOf<Image[]>();
// @ts-expect-error: not named
completed.video_url;

const extended = await generate<{ seed: number }, { cost_usd: number }>({ prompt: 'a lemon', seed: 1 });
expectTypeOf(extended.cost_usd).toEqualTypeOf<number>();
if (extended.status === 'completed') {
  expectTypeOf(extended.data).toEqualTypeOf<Image[]>();
} else {
  expectTypeOf(extended.task_id).toEqualTypeOf<string>();
}
expectTypeOf(
  (await generateAndWait<unknown, Video>({ prompt: 'a lemon' })).video_url,
).toEqualTypeOf<string>();
expectTypeOf((await getTask<Video>('ldtask_1')).video_url).toEqualTypeOf<string>();
expectTypeOf((await lemon.waitForTask<Video>('ldtask_1')).video_url).toEqualTypeOf<string>();

// A generation with further fields still names its task.
waitForTask(extended);

// So does one that a store has frozen, as Immer, Redux and Vue's `readonly` type it.
type Frozen<T> = T extends object ? { readonly [Name in keyof T]: Frozen<T[Name]> } : T;
declare const frozen: Frozen<Generation>;
waitForTask(frozen);
toBlob((frozen as Frozen<CompletedGeneration>).data[0]);

expectTypeOf(toBlob({ b64_json: 'iVBORw0KGgo=' })).toEqualTypeOf<Promise<Blob>>();
toBlob(completed.data[0] as Image, { signal: AbortSignal.timeout(1) });
// @ts-expect-error: not an image
toBlob('https://example.com/lemon.png');
// @ts-expect-error: a misspelt field
toBlob({ ulr: 'https://example.com/lemon.png' });

// The list of models.
expectTypeOf(listModels()).toEqualTypeOf<Promise<Model[]>>();
const models = await lemon.listModels<{ badge: string }>({ category: 'image', recommendedFor: 'image' });
expectTypeOf(models[0]?.id).toEqualTypeOf<string | undefined>();
expectTypeOf(models[0]?.badge).toEqualTypeOf<string | undefined>();
expectTypeOf(models[0]?.tokenlab?.public_contract_summary?.aspect_ratios).toEqualTypeOf<
  string[] | undefined
>();
listModels({ category: 'embedding', view: 'compact', baseUrl: '/api/lemondata', relay: true });
// @ts-expect-error: the option is in camelCase
listModels({ recommended_for: 'image' });
// @ts-expect-error: a text
listModels({ category: ['image'] });
// @ts-expect-error: not named
models[0]?.price;
