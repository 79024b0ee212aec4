/** A service whose answers are immediate and constant, so that only the path to it is measured. */

import { createServer } from 'node:http';
import { urlOf } from './url.js';

const INLINE = JSON.stringify({ created: 1, data: [{ url: 'https://files.test/1.png' }] });
const TASK = JSON.stringify({ created: 1, task_id: 'img_1', status: 'processing', data: [] });

const server = createServer((incoming, outgoing) => {
  incoming.resume().on('end', () => {
    outgoing.writeHead(200, { 'content-type': 'application/json' });
    outgoing.end(incoming.method === 'POST' ? INLINE : TASK);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send(urlOf(server)));
