/**
 * One server for all clients. It speaks the protocol of each. The name of the model selects the answer:
 *
 * - `inline`: a picture at once; `payload`: four of 10 MB as text;
 * - `task-5000`: a task that is done after as many milliseconds.
 *
 * It keeps no state, so that ten thousand tasks cost the same as one: the id of a task holds the time of its end.
 * It runs as a child process, which reports its URL and, on request, the arrival of each request. Its argument is a
 * folder to serve.
 */

import { randomFillSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { urlOf } from './url.js';

const PICTURES = 4;
const PICTURE_BYTES = 10_000_000;
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUg', 'base64');
/** A PNG of one pixel. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const URL_OF_PICTURE = 'https://files.test/1.png';
const TYPES = { html: 'text/html', js: 'text/javascript', wasm: 'application/wasm' };

const [folder] = process.argv.slice(2);
let created = 0;
/** Whether it reports arrivals. */
let isWatched = false;

/** The large pictures, made for the first request. */
let pictures;
function payload() {
  pictures ??= Array.from({ length: PICTURES }, () => {
    const bytes = randomFillSync(Buffer.alloc(PICTURE_BYTES));
    PNG.copy(bytes);
    return bytes.toString('base64');
  });
  return pictures;
}

/** The pictures of a model, in base64. */
const texts = (model) => (model === 'payload' ? payload() : [PIXEL]);
/** The URLs of the same pictures. */
const urls = (model) =>
  model === 'payload' ? payload().map((text) => `data:image/png;base64,${text}`) : [URL_OF_PICTURE];

/** The id of a task holds the time when it is done. */
function newTask(model) {
  created += 1;
  return `${performance.now() + Number(model.slice('task-'.length))}-${created}`;
}
const isDone = (id) => performance.now() >= Number.parseFloat(id);

/** LemonData's and OpenAI's. */
function createImage({ model, response_format }) {
  if (model.startsWith('task-')) {
    const task_id = newTask(model);
    return { created: 1, task_id, status: 'pending', poll_url: `/v1/tasks/${task_id}`, data: [{ url: '' }] };
  }
  const isText = response_format === 'b64_json';
  return {
    created: 1,
    data: isText ? texts(model).map((b64_json) => ({ b64_json })) : urls(model).map((url) => ({ url })),
  };
}

const task = (task_id) =>
  isDone(task_id)
    ? { created: 1, task_id, status: 'completed', data: [{ url: URL_OF_PICTURE }] }
    : { created: 1, task_id, status: 'processing', data: [{ url: '' }] };

/** Replicate's. */
function createPrediction(model, { input }) {
  const isTask = model.startsWith('task-');
  return {
    id: isTask ? newTask(model) : '0-0',
    model: `bench/${model}`,
    input,
    status: isTask ? 'starting' : 'succeeded',
    output: isTask ? null : urls(model),
    error: null,
    logs: '',
    urls: {},
  };
}

const prediction = (id) =>
  isDone(id)
    ? { id, status: 'succeeded', output: [URL_OF_PICTURE], error: null, logs: '', urls: {} }
    : { id, status: 'processing', output: null, error: null, logs: '', urls: {} };

/** fal's. */
const enqueue = (model) => ({ status: 'IN_QUEUE', request_id: newTask(model), queue_position: 0 });
const queueStatus = (request_id) => ({
  status: isDone(request_id) ? 'COMPLETED' : 'IN_PROGRESS',
  request_id,
});
const images = (model) => ({
  images: urls(model).map((url) => ({ url, content_type: 'image/png' })),
  seed: 1,
});

/** @type {[pattern: RegExp, handle: (parts: string[], body: any) => unknown][]} */
const ROUTES = [
  [/^POST \/v1\/images\/generations$/, (_, body) => createImage(body)],
  [/^GET \/v1\/tasks\/([\d.-]+)$/, ([id]) => task(id)],
  [/^POST \/v1\/models\/bench\/([\w-]+)\/predictions$/, ([model], body) => createPrediction(model, body)],
  [/^GET \/v1\/predictions\/([\d.-]+)$/, ([id]) => prediction(id)],
  [/^POST \/fal\/run\/bench\/([\w-]+)$/, ([model]) => images(model)],
  [/^POST \/fal\/queue\/bench\/([\w-]+)$/, ([model]) => enqueue(model)],
  [/^GET \/fal\/queue\/bench\/[\w-]+\/requests\/([\d.-]+)\/status$/, ([id]) => queueStatus(id)],
  [/^GET \/fal\/queue\/bench\/[\w-]+\/requests\/[\d.-]+$/, () => images('inline')],
];

/** Large answers in bytes, because making one takes memory and time. */
const large = new Map();

function answer(line, body) {
  if (large.has(line + body)) return large.get(line + body);
  for (const [pattern, handle] of ROUTES) {
    const found = line.match(pattern);
    if (!found) continue;
    const sent = Buffer.from(JSON.stringify(handle(found.slice(1), body === '' ? {} : JSON.parse(body))));
    if (sent.length > PICTURE_BYTES) large.set(line + body, sent);
    return sent;
  }
}

function serveFile(path, outgoing) {
  const type = TYPES[path.split('.').at(-1)];
  // As a web server sends them: compressed.
  const bytes = readFileSync(join(folder, `${path}.br`));
  outgoing.writeHead(200, {
    'content-type': type,
    'content-encoding': 'br',
    'content-length': bytes.length,
    'cache-control': 'no-store',
  });
  outgoing.end(bytes);
}

const server = createServer((incoming, outgoing) => {
  const [path] = incoming.url.split('?');
  const line = `${incoming.method} ${path}`;
  // The clock of the machine: the same for every process.
  if (isWatched) process.send({ arrival: line, at: Number(process.hrtime.bigint()) / 1e6 });
  if (path.startsWith('/files/')) return serveFile(path.slice('/files/'.length), outgoing);
  const chunks = [];
  incoming.on('data', (chunk) => chunks.push(chunk));
  incoming.on('end', () => {
    const sent = answer(line, Buffer.concat(chunks).toString());
    const headers = { 'content-type': 'application/json', 'x-request-id': 'req_1' };
    outgoing.writeHead(sent ? 200 : 404, { ...headers, 'content-length': sent?.length ?? 0 });
    outgoing.end(sent);
  });
});
// A connection outlives the longest pause between polls, as at any service in production.
server.keepAliveTimeout = 60_000;
server.maxRequestsPerSocket = 0;
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => process.send({ url: urlOf(server) }));

process.on('message', (/** @type {{ watch: boolean }} */ { watch }) => {
  isWatched = watch;
});
process.on('disconnect', () => process.exit());
