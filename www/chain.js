/**
 * The models of a request with `fallback`, one after the other. The client goes through them, and here the page goes on
 * after a reload, or in another tab, with the model that was under way.
 */

import { checkRepeatable } from 'lemondata-wasm/generations';
import { modelIn, modelsTried } from './fallback.js';
import { send } from './sources.js';
import { get, put, remove } from './store.js';

/**
 * The create of the second or a later model. It is stored before it leaves, so that it is repeated with its own key and
 * not as that of another model, which would be a second bill.
 *
 * @typedef {object} Chain
 * @property {number} index of the model in `fallback`, from 1
 * @property {string} model
 * @property {string} key the idempotency key
 * @property {string} [before] the task that was known when it left, of an earlier model
 * @property {string} [relay] the relay's process that got it
 * @property {number} sentAt
 * @property {import('./fallback.js').Row[]} rows the models so far
 */

/** @typedef {import('./generation.js').Generation} Generation */

/** Without its files, the answer to a create that has left cannot be asked for again. */
const LOST_WITH_FILES = {
  name: 'ConnectionError',
  kind: 'connection',
  outcome: 'unknown',
  message: 'The reference pictures of this create are gone, so its answer is lost. It may have been billed.',
};

/** @param {string} id */
const chainKey = (id) => `chain ${id}`;

/**
 * Reads how far the chain has come, which another tab may know better.
 *
 * @param {Generation} generation
 */
export async function readChain(generation) {
  const { id, request, timeline } = generation;
  if (!modelsOf(request)[1]) return;
  /** @type {Chain | undefined} */
  const stored = await get('tasks', chainKey(id)).catch(() => undefined);
  if (!stored || stored.index < (generation.chain?.index ?? 0)) return;
  generation.chain = stored;
  // Otherwise this visit has seen them.
  if (timeline.rows.length === 0) generation.earlierRows = stored.rows;
}

/** @param {Generation} generation */
export const storeChain = ({ id, chain }) =>
  chain ? put('tasks', chainKey(id), chain).catch(console.warn) : Promise.resolve();

/** @type {(id: string) => Promise<unknown>} */
export const removeChain = (id) => remove('tasks', chainKey(id)).catch(console.warn);

/** @param {import('./race-request.js').Request} request */
const modelsOf = ({ model, fallback = [] }) => [model, ...fallback];

/**
 * Whether the next model may follow a task that was waited for: the rule of the client, which knows it of its own
 * creates alone. A hub that fails a create has been through the models itself.
 */
const allowsNextModel = ({ kind, outcome, skippedModels }) =>
  kind === 'task_failed' && outcome === 'failed' && !skippedModels;

/**
 * Makes the pictures of a generation, from wherever it stands.
 *
 * @param {import('lemondata-wasm').LemonData} client
 * @param {Generation} generation
 * @param {import('lemondata-wasm').Task | undefined} task the last one that is known
 * @param {Required<Pick<import('lemondata-wasm').Options, 'fetch' | 'idempotencyKey'>>} options with the key of the first
 *   model
 * @param {{ relay: string | undefined, sources: () => Promise<import('./sources.js').Sources | undefined> }} context
 * @returns {Promise<import('lemondata-wasm').CompletedGeneration>}
 */
export async function goOn(client, generation, task, options, { relay, sources }) {
  await readChain(generation);
  const { chain } = generation;
  const { fallback: _, ...request } = /** @type {import('./race-request.js').Request} */ (generation.request);
  const models = /** @type {string[]} */ (modelsOf(generation.request));
  let index = chain?.index ?? 0;
  let key = chain?.key ?? options.idempotencyKey;
  let isRepeat = chain !== undefined || generation.isRepeat;
  if (task && !(chain && task.task_id === chain.before)) {
    try {
      return await client.waitForTask(task, options);
    } catch (/** @type {any} */ error) {
      index += 1;
      if (index === models.length || !allowsNextModel(Object(error))) throw error;
      key = `${options.idempotencyKey}-${index}`;
      isRepeat = false;
    }
  } else if (chain) {
    checkRepeatable(chain, relay);
  }
  const rest = models.slice(index + 1);
  const files = await sources().catch((error) => {
    throw isRepeat ? Object.assign(new Error(), LOST_WITH_FILES) : error;
  });
  return send(client, { ...request, model: models[index] }, files, {
    ...options,
    idempotencyKey: key,
    fallback: rest.length > 0 ? rest : undefined,
    async fetch(url, init) {
      if (models.length > 1 && init.method === 'POST') await record(generation, init, relay);
      return options.fetch(url, init);
    },
  });
}

/**
 * Records that the create of another model is about to leave.
 *
 * @param {Generation} generation
 * @param {RequestInit} init
 * @param {string} [relay]
 */
async function record(generation, { headers, body }, relay) {
  const { chain, snapshot, tried } = generation;
  const key = new Headers(headers).get('idempotency-key') ?? '';
  if (key === (chain?.key ?? snapshot.idempotencyKey)) return;
  const model = modelIn(body) ?? '';
  generation.chain = {
    index: (chain?.index ?? 0) + 1,
    model,
    key,
    before: snapshot.task?.task_id,
    relay,
    sentAt: Date.now(),
    rows: [...modelsTried(tried).flatMap(rowsOf), create(model)],
  };
  await storeChain(generation);
}

/** @type {(model: string) => import('./fallback.js').Row} */
const create = (model) => ({ kind: 'create', model });

/** @type {(tried: ReturnType<typeof modelsTried>[number]) => import('./fallback.js').Row[]} */
const rowsOf = ({ model, last: { kind, status, isLost } }) => [
  create(model),
  { kind, status, isLost, model },
];
