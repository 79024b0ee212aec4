/** A server where tasks stop until a test lets them go on. `holds.js` sends its requests here. */

import { once } from 'node:events';
import { createServer } from 'node:http';

export async function startControl() {
  const arrived = new Map();
  /** The responses that are held, with their points. */
  const held = new Map();
  const open = new Set();
  let isOpen = false;
  const place = (point) => {
    if (!arrived.has(point)) arrived.set(point, resolvers());
    return arrived.get(point);
  };
  const server = createServer((incoming, outgoing) => {
    const point = decodeURIComponent(incoming.url.slice(1));
    place(point).resolve();
    if (isOpen || open.has(point)) outgoing.end();
    else held.set(outgoing, point);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** Resolves once a task has stopped there. */
    arrival: (point) => place(point).promise,
    /** Lets all tasks go on from now on, or all at one point. */
    open(point = undefined) {
      if (point) open.add(point);
      else isOpen = true;
      for (const [outgoing, at] of held) if (isOpen || at === point) outgoing.end();
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function resolvers() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
