/** Promises around what the module does. */

import { fillFromEnvironment, glue, inBrowser, load, Subscriber } from 'lemondata:place';
import {
  COMMAND_EDIT,
  COMMAND_EDIT_AND_WAIT,
  COMMAND_GENERATE,
  COMMAND_GENERATE_AND_WAIT,
  COMMAND_GET_TASK,
  COMMAND_WAIT_FOR_TASK,
} from './abi.gen.js';
import { toBody, withModel } from './body.js';
import { Call, internalError } from './call.js';
import { allowsFallback, LemonDataError } from './errors.js';
import { taskOf } from './generation.js';
import { createInstance } from './instance.js';
import { listModels } from './models.js';
import { checkNames, mergeOptions } from './options.js';
import { read } from './values.js';

/** When `generate` returned each generation: for a while, the server may not know its task everywhere. */
const generated = new WeakMap();

/** The instance of the module that takes the calls, or took the last one before its trap. */
let instance;
/** The promise of an instance that is on its way. */
let starting;

function start(module) {
  instance = createInstance(glue, module);
  return instance;
}

/** The instance at work. */
async function acquire(task) {
  if (instance && !instance.broken) return instance;
  try {
    if (starting) return await starting;
    const module = load();
    // An edge worker has the module at hand, and must not let one request wait for another's promise. A promise of the
    // engine is no instance of a global that a library has replaced, as zone.js does.
    if (!('then' in module)) return start(module);
    starting = module.then(start).finally(() => {
      starting = undefined;
    });
    return await starting;
  } catch (cause) {
    if (cause instanceof LemonDataError) throw cause;
    // The engine's own words tell best why: they name the policy, or the embedder of an edge worker.
    const message = `WebAssembly did not start (${cause}). lemondata-wasm/javascript works without WebAssembly.`;
    throw internalError(message, cause, 'not_sent', task);
  }
}

/** Has a call run in an instance. */
async function run(call) {
  try {
    // A continuation, even of an instance at hand: a callback that calls us must not enter the module from inside.
    let running;
    do running = await acquire(call.task);
    while (running.broken);
    call.start(running, Subscriber);
  } catch (error) {
    call.settle(false, error);
  }
}

const perform = (fields) =>
  new Promise((settled) => {
    run(new Call({ ...fields, settled }));
  }).then(conclude);

/** The result of a call that is over, or of one with the next model of `fallback`. */
function conclude(call) {
  const { input, options, skipped, isDone, value } = call;
  // Creates have the first numbers.
  const isCreate = call.command < COMMAND_GET_TASK;
  if (isDone) {
    if (skipped) {
      // A hub may have gone past more of them.
      value.skipped_models = skipped.concat(value.skipped_models ?? []);
      value.model ??= input.model;
    }
    if (isCreate && value.status !== 'completed') generated.set(value, performance.now());
    return value;
  }
  // A hub that sends a list of skipped models, even an empty one, has decided about all of them.
  const mayGoOn = isCreate && allowsFallback.has(value) && !value.skippedModels;
  if (mayGoOn && (skipped?.length ?? 0) < options.fallback?.length) return perform(forNextModel(call));
  if (skipped) value.skippedModels = skipped.concat(value.skippedModels ?? []);
  // The stack begins with the code that awaits this call. Runtimes print its first line, and ours is minified.
  if (value instanceof LemonDataError) Error.captureStackTrace?.(value, conclude);
  throw value;
}

/** The task that a call is to wait for. */
const taskIn = (input) =>
  taskOf(
    typeof input === 'string' ? input : (read(input, 'task_id') ?? read(input, 'id')),
    read(input, 'poll_url'),
  );

function makeCall(command, input, callOptions, clientOptions) {
  if (!globalThis.Headers)
    throw internalError('fetch is missing: use Node 20 or later.', undefined, 'not_sent');
  // Read now: a change of the caller's after the call does not count.
  const isCreate = command < COMMAND_GET_TASK;
  const isBrowser = inBrowser();
  checkNames([callOptions, clientOptions], isCreate && input);
  const options = mergeOptions(callOptions, clientOptions);
  if (!isBrowser) fillFromEnvironment?.(options);
  return perform({
    command,
    input,
    callOptions,
    clientOptions,
    options,
    isBrowser,
    body: isCreate && toBody(input, options.relay && options.fallback),
    task: isCreate ? undefined : taskIn(input),
    age: performance.now() - generated.get(input),
  });
}

/**
 * Makes a call. A stack of its error begins with the caller's code, below `api`, the function of the package that was
 * called. This is no asynchronous function, since each would stay in memory as long as its call.
 */
function call(api, ...values) {
  try {
    return makeCall(...values);
  } catch (error) {
    Error.captureStackTrace?.(error, api);
    return Promise.reject(error);
  }
}

/** The same call for the next model of `fallback`, with a key of its own: that of the last one would bring its answer. */
function forNextModel(call) {
  const { input, body, options, skipped = [], value } = call;
  const count = skipped.length + 1;
  const model = options.fallback[count - 1];
  // The number follows the caller's own key, and replaces that of the model before.
  const idempotencyKey = options.idempotencyKey?.replace(skipped.length ? /-\d+$/ : /$/, `-${count}`);
  return {
    ...call,
    task: undefined,
    input: { ...input, model },
    body: { value: withModel(body.value, model) },
    options: { ...options, idempotencyKey },
    skipped: [...skipped, { model: read(input, 'model'), error: value }],
  };
}

// Plain functions, so that a bundler leaves out those that a page does not use.
export const generate = (request, options) => call(generate, COMMAND_GENERATE, request, options);
export const generateAndWait = (request, options) =>
  call(generateAndWait, COMMAND_GENERATE_AND_WAIT, request, options);
export const edit = (request, options) => call(edit, COMMAND_EDIT, request, options);
export const editAndWait = (request, options) => call(editAndWait, COMMAND_EDIT_AND_WAIT, request, options);
export const getTask = (task, options) => call(getTask, COMMAND_GET_TASK, task, options);
export const waitForTask = (task, options) => call(waitForTask, COMMAND_WAIT_FOR_TASK, task, options);

/**
 * Names the function that returns the options of a client. Neither `JSON.stringify` nor a log nor a structured clone
 * shows what a function returns. A private field would be out of reach for a proxy around the client, as Vue makes one.
 */
const OPTIONS = /* @__PURE__ */ Symbol('options');

export class LemonData {
  constructor(options) {
    // Options that are no object, or cannot be read, are refused at the first call.
    let own = options;
    try {
      if (typeof options === 'object') own = { ...options };
    } catch {}
    Object.defineProperty(this, OPTIONS, { value: () => own });
  }

  get relay() {
    return read(this[OPTIONS](), 'relay') === true;
  }

  generate(request, options) {
    return call(this.generate, COMMAND_GENERATE, request, options, this[OPTIONS]());
  }

  generateAndWait(request, options) {
    return call(this.generateAndWait, COMMAND_GENERATE_AND_WAIT, request, options, this[OPTIONS]());
  }

  edit(request, options) {
    return call(this.edit, COMMAND_EDIT, request, options, this[OPTIONS]());
  }

  editAndWait(request, options) {
    return call(this.editAndWait, COMMAND_EDIT_AND_WAIT, request, options, this[OPTIONS]());
  }

  getTask(task, options) {
    return call(this.getTask, COMMAND_GET_TASK, task, options, this[OPTIONS]());
  }

  waitForTask(task, options) {
    return call(this.waitForTask, COMMAND_WAIT_FOR_TASK, task, options, this[OPTIONS]());
  }

  listModels(options) {
    return listModels(options, this[OPTIONS]());
  }
}
