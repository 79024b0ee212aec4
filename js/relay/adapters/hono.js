import { connectionAddress } from '../anonymous.js';
import { assertRelay } from './shared.js';

/** For Hono: `app.all('/api/lemondata/*', toHono(relay))`. */
export function toHono(relay) {
  assertRelay('toHono', relay);
  return async (c) => {
    const { raw } = c.req;
    const context = contextOf(c);
    if (!raw.bodyUsed) return relay(raw, context);
    // A middleware has read the body; Hono has kept it.
    const { method, signal } = raw;
    const headers = new Headers(raw.headers);
    const isForm = /^multipart\//i.test(headers.get('content-type') ?? '');
    let body;
    try {
      body = isForm ? await c.req.formData() : await c.req.text();
    } catch {
      // It was read past Hono. The relay says what to do.
      return relay(raw, context);
    }
    // The new form has another boundary and length.
    if (isForm) for (const name of ['content-type', 'content-length']) headers.delete(name);
    return relay(new Request(raw.url, { method, headers, signal, body }), context);
  };
}

function contextOf(c) {
  try {
    // Outside of workers, this getter throws.
    return c.executionCtx;
  } catch {
    return { ip: connectionAddress(c.env, c.req.raw) };
  }
}
