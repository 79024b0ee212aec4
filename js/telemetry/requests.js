import { CLIENT, endSpan, fail } from './spans.js';

/** The key of the SDKs of OpenTelemetry. Where it is set, an instrumentation of `fetch` makes no span and adds no header. */
const SUPPRESSED = Symbol.for('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

/**
 * Wraps a transport: each request is a span of its own, below that of the call.
 *
 * @param {{ api: any, tracer: any, context: unknown, propagate: boolean }} telemetry
 * @param {typeof fetch} [custom]
 */
export function traceRequests({ api, tracer, context, propagate }, custom) {
  return (url, init) => {
    const { hostname, origin, pathname } = new URL(url, globalThis.location?.href);
    const attributes = {
      'http.request.method': init.method,
      'server.address': hostname,
      // Without a query, which may be signed.
      'url.full': origin + pathname,
    };
    const name = init.method === 'POST' ? 'create' : 'poll';
    const span = tracer.startSpan(name, { kind: CLIENT, attributes }, context);
    let own = api.trace.setSpan(context, span);
    if (propagate) {
      api.propagation.inject(own, init.headers, { set: (headers, key, value) => headers.set(key, value) });
      // A second `traceparent` beside the first makes one that no server can read.
      own = own.setValue(SUPPRESSED, true);
    }
    let isOver = false;
    const end = (error, status) => {
      if (isOver) return;
      isOver = true;
      const secret = init.headers.get('authorization')?.replace('Bearer ', '');
      endSpan(span, () => {
        if (status) span.setAttribute('http.response.status_code', status);
        if (error !== undefined) fail(span, error, secret);
      });
    };
    // A transport of the caller's may not heed the signal. A span that does not end is never exported.
    init.signal.addEventListener('abort', () => end(init.signal.reason), { once: true });
    try {
      // Not `async`: a transport that throws at once has sent nothing, and the client has to see the throw.
      const sending = api.context.with(own, () => (custom ? custom(url, init) : fetch(url, init)));
      return Promise.resolve(sending).then(
        (response) => {
          // What a transport of the caller's returns is the client's to judge.
          const { status } = Object(response);
          end(status >= 400 ? new Error(`status ${status}`) : undefined, status);
          return response;
        },
        (error) => {
          end(error ?? new Error('no answer'));
          throw error;
        },
      );
    } catch (error) {
      end(error ?? new Error('not sent'));
      throw error;
    }
  };
}
