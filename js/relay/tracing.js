/** The headers of W3C Trace Context, by which a request names the trace that it belongs to. */

export const TRACE_HEADERS = ['traceparent', 'tracestate'];
const PARENT = /^[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;
/** As long as every system has to pass on. */
const STATE = /^[ -~]{1,512}$/;

/**
 * The trace of a request, or `undefined`. Any caller can name one, so nothing else may pass.
 *
 * @param {Request} request
 * @returns {{ traceparent: string, tracestate?: string } | undefined}
 */
export function traceOf({ headers }) {
  const [traceparent, tracestate] = TRACE_HEADERS.map((name) => headers.get(name) ?? '');
  if (!PARENT.test(traceparent)) return undefined;
  return { traceparent, ...(STATE.test(tracestate) && { tracestate }) };
}
