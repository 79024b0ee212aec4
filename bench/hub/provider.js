/** A service whose tasks are over when it is told so. It knows when it first said of each that it is. */

import { createServer } from 'node:http';

const DATA = [{ url: 'https://files.test/0123456789abcdef.png', revised_prompt: 'A lemon, in soft light' }];

/** When each task was over, and when that was first answered; by the number in its prompt. */
const over = [];
const answered = [];
const numbers = [];
let creates = 0;
let polls = 0;

function answerOf(method, url, body) {
  if (method === 'POST') {
    creates += 1;
    const number = Number(JSON.parse(body).prompt.split(' ').pop());
    numbers.push(number);
    const task_id = `img_${number}`;
    return {
      created: 1,
      task_id,
      status: 'pending',
      poll_url: `/v1/images/generations/${task_id}`,
      data: [],
    };
  }
  polls += 1;
  const task_id = url.slice(url.lastIndexOf('/') + 1);
  const number = Number(task_id.slice('img_'.length));
  if (!over[number]) return { created: 1, task_id, status: 'processing', progress: 50, data: [] };
  answered[number] ??= Date.now();
  return { created: 1, task_id, status: 'completed', data: DATA };
}

const server = createServer((incoming, outgoing) => {
  let body = '';
  incoming.setEncoding('utf8').on('data', (text) => {
    body += text;
  });
  incoming.on('end', () => {
    outgoing.writeHead(200, { 'content-type': 'application/json' });
    outgoing.end(JSON.stringify(answerOf(incoming.method, incoming.url, body)));
  });
});
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => process.send({ url: `http://127.0.0.1:${server.address().port}` }));

process.on('message', ({ ask, withinMs }) => {
  if (ask === 'counts') process.send({ creates, polls });
  if (ask === 'times') process.send({ over, answered });
  if (ask === 'finish') {
    // Evenly, as pictures of many people are over at any time.
    const started = Date.now();
    let next = 0;
    const timer = setInterval(() => {
      const due = Math.min(numbers.length, Math.ceil((numbers.length * (Date.now() - started)) / withinMs));
      for (; next < due; next += 1) over[numbers[next]] = Date.now();
      if (next < numbers.length) return;
      clearInterval(timer);
      process.send({ finished: true });
    }, 10);
  }
});
process.on('disconnect', () => process.exit());
