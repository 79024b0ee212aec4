/**
 * A service without a network that answers at random and keeps the bills: what may have to be paid for each call.
 *
 * It is the direct API, which knows no idempotency keys, and a relay in one.
 */

import { randomFrom } from './random.js';

/** Where it is a relay, which carries a create out once a key. */
export const RELAY = 'https://relay.example/api';

/** What becomes of a create. */
const CREATES = {
  carriedOut: 12,
  rateLimited: 2,
  unavailable: 2,
  refused: 2,
  modelRefused: 3,
  neverConnected: 1,
  thrown: 1,
  lost: 1,
};

/** What may follow an attempt that did nothing: the same request again, or the same for another model. */
const DID_NOTHING = {
  rateLimited: ['again', 'next'],
  unavailable: ['again'],
  modelRefused: ['next'],
  neverConnected: ['again', 'next'],
  thrown: ['again', 'next'],
};

/** How the answer to a create that was carried out arrives. */
const DELIVERIES = {
  whole: 16,
  slow: 2,
  failed: 1,
  unavailable: 1,
  html: 1,
  silent: 1,
  deaf: 1,
  lost: 1,
  cut: 1,
  meaningless: 1,
};

/** How the answer to a poll arrives. */
const POLLS = {
  whole: 20,
  slow: 3,
  rateLimited: 1,
  failed: 1,
  unavailable: 1,
  html: 1,
  silent: 1,
  deaf: 1,
  lost: 1,
  thrown: 1,
  cut: 1,
  meaningless: 1,
};

/** How a task ends. */
const ENDS = { completed: 12, failed: 2, cancelled: 1, filtered: 1, gone: 1, never: 2 };

/** How a stream goes on after its first state. */
const STREAMS = { whole: 6, ends: 2, breaks: 2, silent: 1 };

const IMAGES = [{ url: 'https://cdn.example.com/a.png' }];
const RUNNING = ['pending', 'processing', 'queued', 'IN_PROGRESS', 'rendering'];

/**
 * @param {number} seed
 * @param {(run: () => void, ms: number) => unknown} later a timer that the checks do not count
 */
export function createService(seed, later) {
  /** The creates by the id in their prompt. */
  const creates = new Map();
  /** What was carried out, by idempotency key. */
  const keys = new Map();
  const tasks = new Map();
  /** The signals of requests that wait for nothing but their end. */
  const waiting = new Set();
  /** Creates that were sent again, or to another model, although the attempts before may have to be paid for. */
  const resent = [];
  /** Creates that came to the wrong route, or without their picture. */
  const misread = [];
  let polls = 0;

  /** A reply to a poll or a create, by how it is delivered. */
  function deliver(how, body, random, signal) {
    const headers = { 'content-type': 'application/json', 'x-request-id': 'req_1' };
    const json = (value, status = 200, more = {}) =>
      new Response(JSON.stringify(value), { status, headers: { ...headers, ...more } });
    const refusal = (message, more) => ({ error: { message, ...more } });
    switch (how) {
      case 'whole':
        return json(body);
      case 'slow':
        return new Response(drip(JSON.stringify(body), random, signal), { headers });
      case 'rateLimited': {
        const wait = random.next() / 100;
        if (random.chance(0.5)) return json(refusal('Slow down.'), 429, { 'retry-after': `${wait}` });
        return json(refusal('Slow down.', { code: 'rate_limit_exceeded', retry_after: wait }), 429);
      }
      case 'failed':
        return json(refusal('Broken.'), 500);
      case 'unavailable':
        return json(refusal('Busy.'), 503);
      case 'html':
        return new Response('<!DOCTYPE html>', { status: 502 });
      case 'silent':
        return silence(signal);
      case 'deaf':
        return silence(signal, true);
      case 'lost':
        return Promise.reject(new TypeError('The connection was lost.'));
      case 'cut':
        return {
          status: 200,
          headers: new Headers(headers),
          text: () => Promise.reject(new TypeError('cut')),
        };
      case 'meaningless':
        return json(random.pick([{}, null, [], 'lemon', { error: { message: 'Odd.' } }]));
      default:
        throw new Error(`There is no delivery called ${how}.`);
    }
  }

  /** Never answers. It ends with its signal, unless it is deaf. */
  function silence(signal, isDeaf) {
    return new Promise((_resolve, reject) => {
      waiting.add(signal);
      signal.addEventListener('abort', () => {
        waiting.delete(signal);
        if (!isDeaf) reject(new TypeError('The request was ended.'));
      });
    });
  }

  /** A body that comes in two pieces. */
  function drip(text, random, signal) {
    const bytes = new TextEncoder().encode(text);
    const half = bytes.length >> 1;
    let timer;
    return new ReadableStream({
      start(controller) {
        controller.enqueue(bytes.subarray(0, half));
        timer = later(() => {
          if (signal.aborted) return;
          controller.enqueue(bytes.subarray(half));
          controller.close();
        }, random.below(15));
        signal.addEventListener('abort', () => controller.error(new TypeError('The request was ended.')));
      },
      cancel: () => clearTimeout(timer),
    });
  }

  /** @param {object} [create] the entry of the call that has brought it */
  function addTask(random, create) {
    const id = `img_${tasks.size + 1}`;
    const poll_url = random.chance(0.5) ? { poll_url: `/v1/tasks/${id}` } : {};
    tasks.set(id, {
      random: randomFrom(seed, 2, tasks.size),
      reference: { task_id: id, ...poll_url },
      left: random.below(6),
      end: random.weighted(ENDS),
      create,
      model: create?.model,
    });
    if (create) create.bills.add(id);
    return id;
  }

  /** The state of a task after one more look at it. */
  function look({ random, reference, end, create, model }, isLast) {
    // A task that has failed costs nothing, and another model may follow. A stream shows one that is gone as failed.
    if (isLast && create && ['failed', 'filtered', 'gone'].includes(end)) {
      create.bills.delete(reference.task_id);
      // Other calls look at the task, too, when its create may have gone on with another model.
      if (create.model === model) Object.assign(create, { mayBeBilled: false, follows: ['next'] });
    }
    const base = { ...reference, created: 1_706_000_000 };
    if (!isLast || end === 'never') return { ...base, status: random.pick(RUNNING), data: [] };
    if (end === 'completed')
      return { ...base, status: random.pick(['completed', 'SUCCEEDED']), data: IMAGES };
    if (end === 'filtered') return { ...base, status: 'completed', data: [], error: { message: 'No.' } };
    return { ...base, status: 'failed', data: [], error: 'No.', cancelled: end === 'cancelled' };
  }

  function create({ prompt, model }, key, signal) {
    const entry = creates.get(prompt) ?? { attempts: 0, bills: new Set() };
    creates.set(prompt, entry);
    const random = randomFrom(seed, 1, numberOf(prompt), entry.attempts);
    entry.attempts += 1;
    if (entry.attempts > 1 && !mayFollow(entry, model, key)) resent.push(`${prompt}, ${model}`);
    const kept = key && keys.get(key);
    // Its task may have failed meanwhile: what may follow stays as it is.
    if (kept) return deliver(random.weighted(DELIVERIES), kept, random, signal);
    const how = random.weighted(CREATES);
    entry.follows = DID_NOTHING[how] ?? [];
    // Under its key, an attempt that came before is the same one.
    entry.mayBeBilled = !DID_NOTHING[how] || (entry.model === model && entry.mayBeBilled);
    entry.model = model;
    switch (how) {
      case 'carriedOut': {
        const body = random.chance(0.3) ? draw(entry) : accept(random, entry);
        if (key) keys.set(key, body);
        return deliver(random.weighted(DELIVERIES), body, random, signal);
      }
      case 'unavailable': {
        const error = { message: 'Busy.', retryable: true, retry_after: random.next() / 100 };
        return new Response(JSON.stringify({ error }), { status: 503 });
      }
      case 'refused': {
        const status = random.pick([400, 401, 402, 403, 413, 422]);
        return new Response(JSON.stringify({ error: { message: 'No.' } }), { status });
      }
      case 'modelRefused': {
        const [status, code] = random.pick([
          [400, 'model_not_found'],
          [403, 'model_not_allowed'],
        ]);
        return new Response(JSON.stringify({ error: { message: 'No.', code } }), { status });
      }
      case 'neverConnected': {
        const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
        return Promise.reject(new TypeError('fetch failed', { cause }));
      }
      case 'thrown':
        throw new TypeError('The request could not be made.');
      case 'lost':
        return Promise.reject(new TypeError('The connection was lost.'));
      default:
        return deliver(how, undefined, random, signal);
    }
  }

  /** The number of a call, which its prompt ends with. A picture of it has as many bytes. */
  const numberOf = (prompt) => Number(prompt.split('#')[1]);
  const read = (body) => (body instanceof FormData ? Object.fromEntries(body) : JSON.parse(body));

  /** Whether a further attempt cannot cost anything: a relay carries a key out once, and each model has its own. */
  function mayFollow({ model: last, follows, mayBeBilled }, model, key) {
    if (model === last) return Boolean(key) || follows.includes('again');
    return follows.includes('next') && !mayBeBilled;
  }

  function draw(entry) {
    entry.bills.add(`picture ${entry.attempts}`);
    return { created: 1, data: IMAGES };
  }

  function accept(random, entry) {
    const task = tasks.get(addTask(random, entry));
    return { ...task.reference, status: random.pick(RUNNING), data: [{ url: '' }] };
  }

  function poll(id, streams, signal) {
    const task = tasks.get(id);
    if (!task || (task.end === 'gone' && task.left === 0)) {
      const error = { message: 'Gone.', code: 'async_task_not_found' };
      return new Response(JSON.stringify({ error }), { status: 404 });
    }
    const { random } = task;
    if (streams && random.chance(0.6)) return stream(task, signal);
    const how = random.weighted(POLLS);
    if (how === 'thrown') throw new TypeError('The request could not be made.');
    const state = look(task, task.left === 0);
    if (['whole', 'slow'].includes(how) && task.left > 0) task.left -= 1;
    return deliver(how, state, random, signal);
  }

  /** The states of a task as server-sent events. */
  function stream(task, signal) {
    const { random } = task;
    const how = random.weighted(STREAMS);
    const encoder = new TextEncoder();
    waiting.add(signal);
    let isOpen = true;
    const end = () => {
      isOpen = false;
      waiting.delete(signal);
    };
    const body = new ReadableStream({
      start(controller) {
        const send = (text) => controller.enqueue(encoder.encode(text));
        const tick = () => {
          if (!isOpen) return;
          send(`: alive\n\ndata: ${JSON.stringify(look(task, task.left === 0))}\n\n`);
          if (task.left === 0 && task.end !== 'never') how === 'silent' || close();
          else if (how === 'ends' && random.chance(0.4)) close();
          else if (how === 'breaks' && random.chance(0.4)) fail();
          else if (how !== 'silent') later(tick, random.below(10));
          if (task.left > 0) task.left -= 1;
        };
        const close = () => {
          end();
          controller.close();
        };
        const fail = () => {
          if (!isOpen) return;
          end();
          controller.error(new TypeError('The connection was lost.'));
        };
        signal.addEventListener('abort', fail);
        later(tick, random.below(5));
      },
      cancel: end,
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  }

  return {
    resent,
    misread,
    waiting,

    /** The prompts of calls that more than one picture may have to be paid for. */
    billedTwice: () => [...creates].filter(([, { bills }]) => bills.size > 1).map(([prompt]) => prompt),

    counts() {
      const all = [...creates.values()];
      const bills = all.reduce((sum, { bills }) => sum + bills.size, 0);
      const further = all.filter(({ model }) => model !== 'a').length;
      return { creates: creates.size, bills, further, tasks: tasks.size, polls };
    },

    addTask,

    /** What names a task, in one of the ways in which a caller may have it. */
    reference(id, random) {
      const { reference } = tasks.get(id);
      return random.pick([id, { id }, reference, { ...reference, status: 'pending', data: [] }]);
    },

    /** The latest tasks: what many calls wait for at once. */
    recent: (count) => [...tasks.keys()].slice(-count),

    /** Notes a request that a transport of the caller's has thrown away. */
    missed({ method, body }) {
      const entry = method === 'POST' && creates.get(read(body).prompt);
      if (entry) entry.follows = DID_NOTHING.thrown;
    },

    /** The transport. It throws at once where a `fetch` may. */
    fetch(url, { method, headers, body, signal }) {
      if (method === 'POST') {
        const request = read(body);
        const { prompt, image } = request;
        const isWhole = typeof body === 'string' || image.size === numberOf(prompt);
        if (url.endsWith('/edits') !== prompt.startsWith('edit') || !isWhole) misread.push(prompt);
        const key = url.startsWith(RELAY) ? headers.get('idempotency-key') : null;
        return create(request, key, signal);
      }
      polls += 1;
      return poll(url.split('/').at(-1), headers.get('accept').includes('event-stream'), signal);
    },
  };
}
