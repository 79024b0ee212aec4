import { redact } from '../client/redact.js';

export const NAME = 'lemondata-wasm';
/** `SpanKind.CLIENT` of OpenTelemetry. */
export const CLIENT = 2;
/** `SpanStatusCode.ERROR` of OpenTelemetry. */
const ERROR = 2;

/**
 * Marks a span as failed. The error may hold anything that a caller or a transport has thrown, the key among it.
 *
 * @param {any} span
 * @param {unknown} error
 * @param {string} [secret]
 */
export function fail(span, error, secret) {
  const { name = 'Error', message: text = String(error) } = Object(error);
  const message = redact(text, secret);
  span.recordException({ name, message });
  span.setStatus({ code: ERROR, message });
}
