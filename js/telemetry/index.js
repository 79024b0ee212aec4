/** A client whose calls are spans of OpenTelemetry. */

import {
  edit,
  editAndWait,
  generate,
  generateAndWait,
  getTask,
  InvalidRequestError,
  LemonDataError,
  listModels,
  waitForTask,
} from 'lemondata-wasm';
import { read } from '../client/values.js';
import { traceRequests } from './requests.js';
import { CLIENT, endSpan, fail, NAME } from './spans.js';

const CREATES = { generate, edit, generateAndWait, editAndWait };
const OTHERS = { getTask, waitForTask };

/** The attributes of a request. Its prompt may be private. */
function requestAttributes(request, recordPrompts) {
  const [model, prompt, n, seed] = ['model', 'prompt', 'n', 'seed'].map((name) => read(request, name));
  return {
    ...(typeof model === 'string' && { 'gen_ai.request.model': model }),
    ...(Number.isInteger(n) && n > 1 && { 'gen_ai.request.choice.count': n }),
    ...(Number.isInteger(seed) && { 'gen_ai.request.seed': seed }),
    ...(recordPrompts && typeof prompt === 'string' && { 'lemondata.prompt': prompt }),
  };
}

/** The attributes of a type. A server may send another one, and a store of spans would refuse the whole span for it. */
const ofType = (type, attributes) =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => typeof value === type));

function resultAttributes({ task_id: id, status, model, usage, billing_transaction_id: billed }) {
  const { input_tokens: input, output_tokens: output } = usage ?? {};
  return {
    ...ofType('string', {
      'gen_ai.response.id': id,
      'gen_ai.response.model': model,
      'lemondata.status': status,
      'lemondata.billing_transaction_id': billed,
    }),
    ...ofType('number', {
      'gen_ai.usage.input_tokens': input,
      'gen_ai.usage.output_tokens': output,
    }),
  };
}

/** The options of a call over those of the client. As everywhere, one that is `undefined` counts as left out. */
function merge(options, callOptions) {
  try {
    const set = Object.entries(Object(callOptions)).filter(([, value]) => value != null);
    return { ...options, ...Object.fromEntries(set) };
  } catch (cause) {
    throw new InvalidRequestError({
      kind: 'invalid_request',
      outcome: 'not_sent',
      message: 'options must be an object; it is an object that cannot be read.',
      cause,
    });
  }
}

export function createTracedClient(options, { api, tracer, propagate = false, recordPrompts = false }) {
  const own = tracer ?? api.trace.getTracer(NAME);

  const traced = (call, method, isCreate) => async (input, callOptions) => {
    const merged = merge(options, callOptions);
    const attributes = {
      'gen_ai.operation.name': 'image_generation',
      'gen_ai.provider.name': 'lemondata',
      'gen_ai.output.type': 'image',
      'lemondata.method': method,
      ...(isCreate && requestAttributes(input, recordPrompts)),
    };
    const model = attributes['gen_ai.request.model'];
    const name = ['image_generation', ...(model ? [model] : [])].join(' ');
    const parent = api.context.active();
    const span = own.startSpan(name, { kind: CLIENT, attributes }, parent);
    const context = api.trace.setSpan(parent, span);
    const transport = traceRequests({ api, tracer: own, context, propagate }, merged.fetch);
    // Callbacks of the caller run within the span as well.
    return api.context
      .with(context, () => call(input, { ...merged, fetch: transport }))
      .then(
        (result) => {
          endSpan(span, () => span.setAttributes(resultAttributes(result)));
          return result;
        },
        (error) => {
          endSpan(span, () => {
            if (error instanceof LemonDataError) {
              const { kind, outcome, task } = error;
              span.setAttributes({
                'error.type': kind,
                'lemondata.outcome': outcome,
                ...(task && { 'gen_ai.response.id': task.task_id }),
              });
            }
            fail(span, error);
          });
          throw error;
        },
      );
  };

  const methods = (calls, isCreate) =>
    Object.entries(calls).map(([method, call]) => [method, traced(call, method, isCreate)]);
  return {
    relay: options?.relay === true,
    ...Object.fromEntries([...methods(CREATES, true), ...methods(OTHERS, false)]),
    listModels: async (callOptions) => listModels(merge(options, callOptions)),
  };
}
