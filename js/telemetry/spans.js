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

/**
 * Marks a span and ends it. A processor of spans that throws must not cost the caller an answer that is paid for.
 *
 * @param {any} span
 * @param {() => void} mark
 */
export function endSpan(span, mark) {
  for (const step of [mark, () => span.end()]) {
    try {
      step();
    } catch (error) {
      (globalThis.reportError ?? console.error)(error);
    }
  }
}
