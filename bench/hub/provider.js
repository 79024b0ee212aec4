/** A service whose tasks complete on command. It records when it first answers that a task has completed. */

import { createServer } from 'node:http';
import { urlOf } from '../url.js';

const DATA = [{ url: 'https://files.test/0123456789abcdef.png', revised_prompt: 'A lemon, in soft light' }];

/** The times of each completion and of the first answer with it, by the number in the prompt. */
const completed = [];
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
  if (!completed[number]) return { created: 1, task_id, status: 'processing', progress: 50, data: [] };
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
server.listen(0, '127.0.0.1', () => process.send({ url: urlOf(server) }));

process.on('message', (/** @type {{ command: string, withinMs: number }} */ { command, withinMs }) => {
  if (command === 'counts') process.send({ creates, polls });
  if (command === 'times') process.send({ completed, answered });
  if (command === 'finish') {
    // Evenly, like the pictures of many people.
    const started = Date.now();
    let next = 0;
    const timer = setInterval(() => {
      const due = Math.min(numbers.length, Math.ceil((numbers.length * (Date.now() - started)) / withinMs));
      for (; next < due; next += 1) completed[numbers[next]] = Date.now();
      if (next < numbers.length) return;
      clearInterval(timer);
      process.send({ finished: true });
    }, 10);
  }
});
process.on('disconnect', () => process.exit());
