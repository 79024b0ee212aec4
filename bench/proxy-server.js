/** A proxy in front of the upstream whose URL is the argument. It adds the key to each request, and does nothing else. */

import { createServer } from 'node:http';
import { urlOf } from './url.js';

const [upstream] = process.argv.slice(2);

const server = createServer(async (incoming, outgoing) => {
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const { method, url } = incoming;
  const headers = { authorization: 'Bearer sk-bench', 'content-type': 'application/json' };
  const response = await fetch(upstream + url, {
    method,
    headers,
    body: method === 'POST' ? Buffer.concat(chunks) : undefined,
  });
  const body = await response.text();
  outgoing.writeHead(response.status, { 'content-type': 'application/json' });
  outgoing.end(body);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send(urlOf(server)));
