/** What the rules of the design promise beyond what other tests of a create and a wait show. */

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { inspect } from 'node:util';
import {
  generate,
  generateAndWait,
  getTask,
  InvalidRequestError,
  RequestTimeoutError,
  TaskNotFoundError,
  waitForTask,
} from 'lemondata-wasm';
import { failure } from '../helpers/failure.js';
import { pretend } from '../helpers/fake-page.js';
import { answer, fakeTime } from '../helpers/fake-time.js';

const GUARD = { timeout: 10_000 };
const request = { prompt: 'a lemon' };
const images = [{ url: 'https://x.test/1' }];
const pending = { task_id: 'img_1', status: 'pending' };
const done = { task_id: 'img_1', status: 'completed', data: images };
/** Starts the module, which takes real time. */
before(() => waitForTask(done));

/** A transport that gives the answers in turn, and the requests that it gets. */
function script(...answers) {
  const requests = [];
  const transport = async (url, init) => {
    requests.push({ url, ...init });
    return answers.shift();
  };
  return { requests, options: { apiKey: 'sk-1', fetch: transport, pollInterval: { min: 1, max: 1 } } };
}

/** A promise that never settles. */
const never = new Promise(() => {});

describe('rule 1: a create', GUARD, () => {
  test('is not sent for a caller who has left while the headers were sought', async () => {
    const { requests, options } = script(answer(done));
    const controller = new AbortController();
    let found;
    const headers = () =>
      new Promise((resolve) => {
        found = resolve;
      });
    const promise = failure(generate(request, { ...options, headers, signal: controller.signal }));
    while (!found) await new Promise(setImmediate);
    controller.abort();
    await promise;
    found({});
    await new Promise(setImmediate);
    assert.deepEqual(requests, []);
  });

  test('is not sent after its end, whichever microtask ends it', async () => {
    for (let microtasks = 0; microtasks < 40; microtasks += 1) {
      const controller = new AbortController();
      const late = [];
      const options = {
        signal: controller.signal,
        async apiKey() {
          (async () => {
            for (let count = 0; count < microtasks; count += 1) await undefined;
            controller.abort(new Error('enough'));
          })();
          return 'sk-1';
        },
        fetch: async (_, { signal }) => {
          late.push(signal.aborted);
          return never;
        },
      };
      assert.equal((await failure(generate(request, options))).message, 'enough');
      await new Promise(setImmediate);
      assert.ok(!late.includes(true), `aborted after ${microtasks} microtasks, and sent`);
    }
  });

  test('is no string in Deno, which would send that a second time by itself', async (t) => {
    const { requests, options } = script(answer(pending), answer(done));
    pretend(t, { Deno: {} });
    await generateAndWait(request, options);
    const [{ body, headers }, poll] = requests;
    assert.ok(body instanceof Blob);
    assert.equal(await body.text(), JSON.stringify(request));
    assert.equal(headers.get('content-type'), 'application/json');
    assert.equal(poll.body, undefined);
  });

  test('goes on no used connection in Bun, whose older versions would send it a second time', async () => {
    const { requests, options } = script(answer(pending), answer(done));
    await generateAndWait(request, options);
    const [create, poll] = requests;
    assert.equal(create.keepalive, false);
    assert.equal(poll.keepalive, undefined, 'polls are free to repeat');
  });

  test('whose answer arrives while the machine sleeps beyond its time-out is read', async (t) => {
    const time = fakeTime(t);
    let arrive;
    const fetch = () =>
      new Promise((resolve) => {
        arrive = resolve;
      });
    const promise = generate(request, { apiKey: 'sk-1', fetch, requestTimeout: 20_000 });
    await time.calm();
    time.sleep(3_600_000);
    // The late timer has fired, and its turn is over, before the answer is read.
    await time.calm();
    arrive(answer(done));
    assert.equal((await promise).status, 'completed');
    assert.equal(time.timers(), 0);
  });

  test('whose answer has not arrived after such a sleep may have been billed', async (t) => {
    const time = fakeTime(t);
    const fetch = () => never;
    const promise = failure(generate(request, { apiKey: 'sk-1', fetch, requestTimeout: 20_000 }));
    await time.calm();
    time.sleep(3_600_000);
    const error = await time.until(promise);
    assert.ok(error instanceof RequestTimeoutError);
    assert.equal(error.outcome, 'unknown');
    assert.equal(time.now(), 3_605_000);
  });

  test('whose body breaks off or comes too late may have been billed', async (t) => {
    const time = fakeTime(t);
    const reported = [];
    const fetch = async () => ({ ...answer(done), text: () => never });
    const options = { apiKey: 'sk-1', fetch, relay: false, onResponse: (info) => reported.push(info) };
    const error = await failure(time.until(generate(request, options)));
    assert.ok(error instanceof RequestTimeoutError);
    assert.equal(error.outcome, 'unknown');
    assert.deepEqual(reported, [], 'that was no answer');
    assert.equal(time.timers(), 0);
  });
});

describe('rule 2: the answer to a create is lost, but a header names its task', GUARD, () => {
  const headers = { 'x-task-id': 'img_1' };
  const broken = () => answer('{"data": [{"b64_', { headers });
  const late = () => ({ ...answer(done, { headers }), text: () => never });
  const failed = () => answer({ error: { message: 'Overloaded' } }, { status: 500, headers });

  for (const [name, reply] of Object.entries({ broken, late, failed })) {
    test(`the error keeps the task: ${name}`, async (t) => {
      const time = fakeTime(t);
      const { options } = script(reply());
      const error = await failure(time.until(generateAndWait(request, options)));
      assert.equal(error.outcome, 'accepted');
      assert.deepEqual(error.task, { task_id: 'img_1' });
      assert.match(error.message, /waitForTask\(error\.task\) waits on/);
    });
  }

  test('and no other model is paid for', async () => {
    const { requests, options } = script(broken());
    await failure(generate({ ...request, model: 'a' }, { ...options, fallback: ['b'] }));
    assert.equal(requests.length, 1);
  });

  test('a refusal has no task, whatever its headers say', async () => {
    const { options } = script(answer({ error: { message: 'No' } }, { status: 400, headers }));
    const error = await failure(generate(request, options));
    assert.equal(error.outcome, 'rejected');
    assert.equal(error.task, undefined);
  });
});

describe('rule 2: a task', GUARD, () => {
  test('is polled with the query of its poll_url', async () => {
    const poll_url = '/v1/tasks/1?part=a%2Fb&of=2';
    const { requests, options } = script(answer({ ...pending, poll_url }), answer(done));
    await generateAndWait(request, options);
    assert.equal(requests[1].url, `https://api.lemondata.cc${poll_url}`);
  });

  test('is sought at the other path by getTask, too, whatever the limits of a wait are', async () => {
    const missing = answer({ error: { code: 'async_task_not_found' } }, { status: 404 });
    const { requests, options } = script(missing, answer(done));
    assert.deepEqual(await getTask('img_1', { ...options, maxPolls: 1, maxWait: 0 }), done);
    const [first, second] = requests.map(({ url }) => new URL(url).pathname);
    assert.deepEqual([first, second], ['/v1/images/generations/img_1', '/v1/tasks/img_1']);
  });
});

describe('rule 3: what is secret', GUARD, () => {
  test('in the query of a poll_url is in no error and not told to onResponse', async () => {
    const poll_url = '/v1/tasks/1?token=secret';
    const lost = { status: 404, headers: {} };
    const missing = () => answer({ error: { code: 'async_task_not_found' } }, lost);
    const { requests, options } = script(missing(), missing());
    const reported = [];
    const onResponse = (info) => reported.push(info.path);
    const error = await failure(waitForTask({ task_id: 'img_1', poll_url }, { ...options, onResponse }));
    assert.ok(error instanceof TaskNotFoundError);
    assert.match(requests[0].url, /secret/);
    assert.doesNotMatch(error.message, /secret/);
    assert.deepEqual(reported, ['/v1/tasks/1', '/v1/tasks/1']);
  });

  test('in headers that cannot be used is in no error', async () => {
    const { requests, options } = script();
    const headers = { authorization: 'Bearer sk-secret\n\u00fc' };
    for (const call of [
      generate(request, { ...options, headers }),
      getTask('img_1', { ...options, headers }),
    ]) {
      const error = await failure(call);
      assert.ok(error instanceof InvalidRequestError);
      assert.equal(error.param, 'headers');
      assert.doesNotMatch(inspect(error, { depth: Number.POSITIVE_INFINITY }), /secret/);
    }
    assert.deepEqual(requests, []);
  });
});

describe('rule 4: a call ends', GUARD, () => {
  test('where its caller leaves while onTask stores the task', async () => {
    for (const call of [generate, generateAndWait]) {
      const { options } = script(answer(pending));
      const controller = new AbortController();
      const onTask = () => {
        setImmediate(() => controller.abort(new Error('enough')));
        return never;
      };
      const error = await failure(call(request, { ...options, onTask, signal: controller.signal }));
      assert.equal(error.message, 'enough');
    }
  });

  test('where a getter of an option throws', async () => {
    const { requests, options } = script(answer(done));
    const get = () => {
      throw new Error('no');
    };
    Object.defineProperty(options, 'onTask', { enumerable: true, get });
    const error = await failure(waitForTask('img_1', options));
    assert.ok(error instanceof InvalidRequestError);
    assert.deepEqual([error.param, error.outcome, requests], ['onTask', 'not_sent', []]);
  });
});

describe('rule 5: the answer decides, not the model:', GUARD, () => {
  for (const model of ['dall-e-3', 'flux-schnell', 'flux-pro', 'nobody-knows-it', undefined]) {
    test(`${model} may answer inline, or with a task`, async () => {
      const inline = script(answer({ data: images }));
      assert.deepEqual(await generateAndWait({ ...request, model }, inline.options), {
        status: 'completed',
        data: images,
      });
      assert.equal(inline.requests.length, 1);
      const task = script(answer(pending), answer({ ...pending, status: 'queued' }), answer(done));
      assert.deepEqual(await generateAndWait({ ...request, model }, task.options), done);
      assert.equal(task.requests.length, 3);
    });
  }

  test('completed with an id is no task to wait for', async () => {
    const tasks = [];
    for (const call of [generate, generateAndWait]) {
      const { requests, options } = script(answer(done));
      assert.deepEqual(await call(request, { ...options, onTask: (task) => tasks.push(task) }), done);
      assert.equal(requests.length, 1);
    }
    assert.deepEqual(tasks, []);
  });

  test('images alone do not complete a task', async () => {
    const early = { ...pending, data: images };
    const { requests, options } = script(answer(early), answer(done));
    assert.deepEqual(await waitForTask(early, options), done);
    assert.equal(requests.length, 2);
  });
});

test('rule 6: a limit of which the server says nothing is none', GUARD, async () => {
  const { options } = script(answer(done));
  let reported;
  await generate(request, { ...options, onResponse: ({ rateLimit }) => (reported = rateLimit) });
  assert.deepEqual(reported, { limit: undefined, remaining: undefined, reset: undefined });
});
