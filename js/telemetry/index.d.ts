/**
 * Calls as spans of OpenTelemetry. It depends on no package of OpenTelemetry: you pass its API.
 *
 * The attributes `gen_ai.*` follow OpenTelemetry's conventions for generative AI. Those are experimental, and so the
 * names of spans and attributes here may change in any release.
 *
 * @module telemetry
 */

import type { LemonData, Options } from '../entries/index.js';

/** The part of a span of OpenTelemetry that is used. */
export interface Span {
  /** Sets an attribute. */
  setAttribute(name: string, value: unknown): unknown;
  /** Sets several attributes. */
  setAttributes(attributes: unknown): unknown;
  /** Adds an error. */
  recordException(error: unknown): unknown;
  /** Sets the outcome. */
  setStatus(status: unknown): unknown;
  /** Ends the span. */
  end(): void;
}

/** The part of a tracer of OpenTelemetry that is used. */
export interface Tracer {
  /** Starts a span. */
  startSpan(name: string, options?: unknown, context?: unknown): Span;
}

/** The part of a context of OpenTelemetry that is used. */
export interface Context {
  /** A context with one more value. */
  setValue(key: symbol, value: unknown): unknown;
}

/** The part of `@opentelemetry/api` that is used: `import * as api from '@opentelemetry/api'`. */
export interface OpenTelemetryApi {
  /** Contexts, which carry the active span. */
  context: {
    /** The context of the code that asks. */
    active(): unknown;
    /** Calls a function in a context. */
    with(context: unknown, run: () => unknown): unknown;
  };
  /** Spans and tracers. */
  trace: {
    /** A tracer by the name of the library. */
    getTracer(name: string): Tracer;
    /** A context with a span in it. */
    setSpan(context: unknown, span: unknown): Context;
  };
  /** Headers that tell another server of a span. */
  propagation: {
    /** Writes the headers. */
    inject(context: unknown, carrier: unknown, setter: unknown): void;
  };
}

/** The settings of {@link createTracedClient}. */
export interface Telemetry {
  /** OpenTelemetry's API: `import * as api from '@opentelemetry/api'`. */
  api: OpenTelemetryApi;
  /**
   * Where spans begin.
   *
   * @defaultValue `api.trace.getTracer('lemondata-wasm')`
   */
  tracer?: Tracer | undefined;
  /**
   * Whether requests carry the headers of your propagator, such as `traceparent`. A relay of another origin allows
   * them only with its own option `tracing`. An instrumentation of `fetch` is silent for these requests, since its
   * headers would be in the way.
   *
   * @defaultValue `false`
   */
  propagate?: boolean | undefined;
  /**
   * Whether spans hold prompts, as `lemondata.prompt`. They may be private.
   *
   * @defaultValue `false`
   */
  recordPrompts?: boolean | undefined;
}

/**
 * A client whose calls are spans: one for each call, and below it one for each create and poll. Spans hold neither keys
 * nor pictures, and URLs without their query. Calls for one task do not share their polls. The model list is not traced.
 *
 * | span | attributes |
 * | --- | --- |
 * | `image_generation {model}`, a call | `gen_ai.operation.name`, `gen_ai.provider.name`, `gen_ai.output.type`, `gen_ai.request.model`, `gen_ai.request.choice.count`, `gen_ai.request.seed`, `gen_ai.response.id` (the task), `gen_ai.response.model`, `gen_ai.usage.*`, `lemondata.method`, `lemondata.status`, `lemondata.billing_transaction_id`; after an error `error.type` (its kind) and `lemondata.outcome` |
 * | `create`, `poll`, a request until its answer begins | `http.request.method`, `http.response.status_code`, `server.address`, `url.full` |
 *
 * @example
 * ```ts
 * import * as api from '@opentelemetry/api';
 * import { createTracedClient } from 'lemondata-wasm/telemetry';
 *
 * const lemon = createTracedClient({ apiKey: process.env.LEMONDATA_API_KEY }, { api });
 * const { data } = await lemon.generateAndWait({ model: 'gpt-image-2', prompt: 'A lemon' });
 * ```
 *
 * @param options those of the client, for all calls
 */
export declare function createTracedClient(options: Options, telemetry: Telemetry): LemonData;
