import { assertRelay } from './shared.js';

/** For Hono: `app.all('/api/lemondata/*', toHono(relay))`. */
export function toHono(relay) {
  assertRelay('toHono', relay);
  return async (c) => {
    const { raw } = c.req;
    if (!raw.bodyUsed) return relay(raw, contextOf(c));
    // A middleware has read the body; Hono has kept it.
    const { method, headers, signal } = raw;
    return relay(new Request(raw.url, { method, headers, signal, body: await c.req.text() }), contextOf(c));
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
