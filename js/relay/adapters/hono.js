import { assertRelay } from './shared.js';

/** For Hono: `app.all('/api/lemondata/*', toHono(relay))`. */
export function toHono(relay) {
  assertRelay('toHono', relay);
  return async (c) => {
    const { raw } = c.req;
    if (!raw.bodyUsed) return relay(raw, contextOf(c));
    // A middleware has read the body; Hono has kept it.
    const { method, signal } = raw;
    const headers = new Headers(raw.headers);
    const isForm = /^multipart\//i.test(headers.get('content-type') ?? '');
    const body = isForm ? await c.req.formData() : await c.req.text();
    // The new form has another boundary and length.
    if (isForm) for (const name of ['content-type', 'content-length']) headers.delete(name);
    return relay(new Request(raw.url, { method, headers, signal, body }), contextOf(c));
  };
}

function contextOf(c) {
  try {
    // Outside of workers, this getter throws.
    return c.executionCtx;
  } catch {
    // Hono's adapter for Node keeps its request here.
    return { ip: c.env?.incoming?.socket?.remoteAddress };
  }
}
