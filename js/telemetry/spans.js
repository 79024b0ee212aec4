export const NAME = 'lemondata-wasm';
/** `SpanKind.CLIENT` of OpenTelemetry. */
export const CLIENT = 2;
/** `SpanStatusCode.ERROR` of OpenTelemetry. */
const ERROR = 2;

/** Marks a span as failed. The error may hold anything that a caller has thrown. */
export function fail(span, error) {
  const { name = 'Error', message = String(error) } = Object(error);
  span.recordException({ name, message });
  span.setStatus({ code: ERROR, message });
}
