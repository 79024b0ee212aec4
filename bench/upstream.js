/** A service that answers at once and always alike, so that what is measured is the way to it. */

import { createServer } from 'node:http';

const INLINE = JSON.stringify({ created: 1, data: [{ url: 'https://files.test/1.png' }] });
const TASK = JSON.stringify({ created: 1, task_id: 'img_1', status: 'processing', data: [] });

const server = createServer((incoming, outgoing) => {
  incoming.resume().on('end', () => {
    outgoing.writeHead(200, { 'content-type': 'application/json' });
    outgoing.end(incoming.method === 'POST' ? INLINE : TASK);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send(`http://127.0.0.1:${server.address().port}`));
