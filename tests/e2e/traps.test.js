/**
 * Rule 4: a trap never poisons. With a build that traps where and how a test wants it: whatever was pending is
 * rejected, its fetches, timers and listeners end, what still comes in is ignored, and the next call works.
 */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { after, afterEach, before, describe, test } from 'node:test';
import { failure } from '../helpers/failure.js';
import { answer, fakeTime } from '../helpers/fake-time.js';

const { generate, generateAndWait, InternalError, LemonData, waitForTask } = await import(
  '../../target/traps/index.js'
);

/** What happens at the next place of that name. */
let plan;
/** Which places the module has come to since. */
const entered = [];
globalThis.lemondataTrap = (place) => {
  entered.push(place);
  if (plan?.place !== place) return undefined;
  const { how } = plan;
  plan = undefined;
  entered.length = 0;
  return how;
};

const uncaught = [];
const note = (error) => uncaught.push(error);

const task = { task_id: 'img_1', status: 'processing' };
const done = { ...task, status: 'completed', data: [{ url: 'https://x.test/1' }] };
/** Starts the module, which takes real time. */
const startModule = () => waitForTask(done);

/** A transport that never answers but to an abort, and then only late. */
function hang() {
  const hung = { signals: [], answers: [] };
  hung.fetch = (_, { signal }) => {
    hung.signals.push(signal);
    return new Promise((resolve) => hung.answers.push(resolve));
  };
  return hung;
}

describe('rule 4: a trap', { timeout: 20_000 }, () => {
  before(() => process.on('uncaughtException', note));
  after(() => process.off('uncaughtException', note));
  afterEach(() => {
    plan = undefined;
    uncaught.length = 0;
  });

  for (const how of ['trap', 'overflow']) {
    for (const [place, provoke] of [
      ['start', ({ options }) => failure(generate({ prompt: 'x' }, options))],
      [
        'answer',
        ({ options }) => failure(generate({ prompt: 'x' }, { ...options, fetch: async () => answer(done) })),
      ],
      ['timer', ({ time }) => time.pass(5000)],
      ['wake', ({ controller }) => controller.abort()],
    ]) {
      test(`(${how}) at a ${place} rejects all that is pending and leaves nothing behind`, async (t) => {
        await startModule();
        const time = fakeTime(t);
        const controller = new AbortController();
        const hung = hang();
        const options = { apiKey: 'sk-1', fetch: hung.fetch, signal: controller.signal };
        const pending = [
          failure(generate({ prompt: 'x' }, options)),
          failure(waitForTask({ id: 'img_2' }, options)),
          failure(waitForTask('img_1', { ...options, fetch: async () => answer({ ...task }) })),
          failure(
            generateAndWait(
              { prompt: 'x' },
              {
                ...options,
                fetch: async () => answer({ task_id: 'img_3', status: 'pending' }),
                onTask: () => new Promise(() => {}),
              },
            ),
          ),
        ];
        await time.pass(100);
        assert.equal(hung.signals.length, 2);
        assert.equal(getEventListeners(controller.signal, 'abort').length, 1);

        plan = { place, how };
        const provoked = provoke({ time, controller, options });
        const errors = await time.until(Promise.all(pending));
        assert.equal(plan, undefined, 'the place was not reached');
        if (place === 'start' || place === 'answer') errors.push(await provoked);
        for (const error of errors) {
          assert.ok(error instanceof InternalError, `${error}`);
          assert.ok(error.cause instanceof WebAssembly.RuntimeError, `${error.cause}`);
          assert.match(error.message, /report this bug/);
        }
        const [create, wait, asleep, announcing] = errors;
        assert.equal(create.outcome, 'unknown');
        assert.deepEqual([wait.outcome, wait.task], ['accepted', { task_id: 'img_2' }]);
        assert.deepEqual([asleep.outcome, asleep.task], ['accepted', { task_id: 'img_1' }]);
        assert.deepEqual([announcing.outcome, announcing.task], ['accepted', { task_id: 'img_3' }]);

        assert.deepEqual(
          hung.signals.map(({ aborted }) => aborted),
          [true, true],
        );
        assert.equal(time.timers(), 0);
        assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
        // What comes in late finds the instance closed.
        for (const resolve of hung.answers) resolve(answer(done));
        controller.abort();
        await time.pass(600_000);
        assert.deepEqual(entered, []);

        await startModule();
        assert.equal(
          (await time.until(waitForTask('img_1', { apiKey: 'sk-1', fetch: async () => answer(done) })))
            .status,
          'completed',
        );
        await time.calm();
        assert.deepEqual(uncaught, []);
      });
    }
  }

  test('within a callback ends the call around it, too, which sends nothing more', async (t) => {
    await startModule();
    const time = fakeTime(t);
    let polls = 0;
    const options = {
      apiKey: 'sk-1',
      async fetch() {
        polls += 1;
        return answer({ ...task });
      },
    };
    let inner;
    const outer = failure(
      waitForTask('img_1', {
        ...options,
        onUpdate() {
          plan = { place: 'start', how: 'trap' };
          inner = failure(generate({ prompt: 'x' }, options));
        },
      }),
    );
    const error = await time.until(outer);
    assert.ok(error instanceof InternalError);
    assert.deepEqual([error.outcome, error.task], ['accepted', { task_id: 'img_1' }]);
    const { outcome } = await inner;
    assert.equal(outcome, 'unknown');
    assert.equal(time.timers(), 0);
    await time.pass(60_000);
    assert.equal(polls, 1);
    assert.deepEqual(uncaught, []);
  });

  test('in a call that takes the poll of another ends both, and what comes after it is told to neither', async (t) => {
    await startModule();
    const time = fakeTime(t);
    const hung = hang();
    const updates = [];
    const onUpdate = ({ status }) => updates.push(status);
    const client = new LemonData({ apiKey: 'sk-1', fetch: hung.fetch, onUpdate });
    const calls = [1, 2].map(() => failure(client.waitForTask('img_1')));
    await time.calm();
    assert.equal(hung.answers.length, 1);
    plan = { place: 'shared', how: 'trap' };
    hung.answers[0](answer({ ...task }));
    for (const error of await time.until(Promise.all(calls))) {
      assert.ok(error instanceof InternalError);
      assert.deepEqual([error.outcome, error.task], ['accepted', { task_id: 'img_1' }]);
    }
    assert.deepEqual([updates, time.timers(), uncaught], [[], 0, []]);
  });

  test('of one instance leaves the calls of the next alone', async (t) => {
    await startModule();
    const time = fakeTime(t);
    const hung = hang();
    const first = failure(generate({ prompt: 'x' }, { apiKey: 'sk-1', fetch: hung.fetch }));
    await time.calm();
    plan = { place: 'start', how: 'trap' };
    await failure(generate({ prompt: 'x' }, { apiKey: 'sk-1', fetch: hung.fetch }));
    await first;
    await startModule();
    const second = generate({ prompt: 'x' }, { apiKey: 'sk-1', fetch: hung.fetch });
    await time.calm();
    // The late answer of the first must not settle, wake or end the second.
    hung.answers[0](answer(done));
    await time.calm();
    assert.deepEqual(
      hung.signals.map(({ aborted }) => aborted),
      [true, false],
    );
    hung.answers[1](answer(done));
    assert.equal((await time.until(second)).status, 'completed');
  });
});
