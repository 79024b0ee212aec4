/** A request with `fallback` over reloads and tabs: the chain goes on, and no create is sent twice. */

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { PNG } from 'pngjs';
import { goOn } from '../../www/chain.js';
import { fallbackWords, rowsOfSkipped } from '../../www/fallback.js';
import { PROMPT, untilAsync, useStudio } from './studio.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 300_000 };
const FAILS = 'test-task-failed-object';
const FAILS_TOO = 'test-task-failed-string';
const PICTURE = PNG.sync.write(new PNG({ width: 4, height: 4 })).toString('base64');

const studio = useStudio();
let app;
/** The idempotency keys of the page's creates. */
let keys;

async function open(fallback) {
  app = await studio.open();
  keys = [];
  app.context.on('request', (request) => {
    if (request.method() === 'POST') keys.push(request.headers()['idempotency-key']);
  });
  await app.page.click('text=More settings');
  await app.page.fill('#fallback', fallback);
}
const models = () => app.creates().map(({ body }) => body.model);
const note = () => app.$('.card .fallback').first().textContent();

/** Advances the clocks until a condition of the page or the server holds. */
async function advanceUntil(holds) {
  for (let passed = 0; passed < 120_000 && !(await holds()); passed += 2500) {
    await app.advance(2500);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await untilAsync(holds);
}

/** Keeps the first answer to a model's create from the page: the service gets it all the same. */
async function hold(model) {
  let isHeld = false;
  await app.page.route('**/v1/images/generations', async (route) => {
    if (isHeld || route.request().postDataJSON().model !== model) return route.fallback();
    await route.fetch();
    isHeld = true;
  });
  return () => isHeld;
}

const phase = () => app.card.getAttribute('data-phase');

describe('a chain of models', GUARD, () => {
  test('goes on after reloads while the tasks of its models run', async () => {
    await open(`${FAILS_TOO}, flux-pro`);
    await app.generate(FAILS);
    await app.state('Accepted as a task');
    await app.reload();
    await app.advance(1000);
    await advanceUntil(() => app.creates().length === 2);
    await app.$('.fallback', { hasText: `${FAILS}: the task failed; trying ${FAILS_TOO}.` }).waitFor();
    // Until the journal has the task.
    await app.card.locator('text=Pending').waitFor();
    await app.reload();
    assert.equal(await note(), `${FAILS}: the task failed; trying ${FAILS_TOO}.`);
    await advanceUntil(() => app.creates().length === 3);
    await app.reload();
    await advanceUntil(async () => (await phase()) === 'done');
    const words = `${FAILS}: the task failed; ${FAILS_TOO}: the task failed; flux-pro answered.`;
    assert.equal(await note(), words);
    assert.deepEqual(models(), [FAILS, FAILS_TOO, 'flux-pro']);
    assert.equal(new Set(keys).size, 3, 'each model has a key of its own');
    assert.ok(app.creates().every(({ body }) => body.prompt === PROMPT && !('fallback' in body)));
    await app.card.locator('.picture').click();
    await app.$('#viewer .meta', { hasText: 'flux-pro' }).waitFor();
    await app.page.keyboard.press('Escape');
    await app.reload();
    await app.$('.fallback').waitFor();
    assert.equal(await note(), words, 'the names stay');
  });

  test('repeats the create that was under way with its own key, and buys nothing twice', async () => {
    await open('flux-pro');
    await app.generate(FAILS);
    await app.state('Accepted as a task');
    const isHeld = await hold('flux-pro');
    await advanceUntil(isHeld);
    await app.reload();
    await advanceUntil(async () => (await phase()) === 'done');
    assert.deepEqual(models(), [FAILS, 'flux-pro']);
    assert.equal(keys.length, 3);
    assert.equal(keys[1], keys[2]);
    assert.equal(await note(), `${FAILS}: the task failed; flux-pro answered.`);
  });

  test('names the model that made the picture, also where the last one was not stored', async () => {
    await open(`${FAILS_TOO}, flux-pro`);
    await app.page.evaluate(() => {
      const { put } = IDBObjectStore.prototype;
      IDBObjectStore.prototype.put = function (value, key) {
        if (value.index === 2) throw new DOMException('Full.', 'QuotaExceededError');
        return put.call(this, value, key);
      };
    });
    await app.generate(FAILS);
    await advanceUntil(() => app.creates().length === 3);
    await app.card.locator('.requests >> text=accepted as a task').nth(2).waitFor();
    await app.card.getByRole('button', { name: 'Stop waiting' }).click();
    await app.card.getByRole('button', { name: 'Wait again' }).click();
    await advanceUntil(async () => (await phase()) === 'done');
    assert.equal(app.creates().length, 3);
    await app.card.locator('.picture').click();
    await app.$('#viewer .meta', { hasText: 'flux-pro' }).waitFor();
    app.problems.length = 0;
  });

  test('does not return to a model that was refused before, and would take the request now', async () => {
    await open('flux-pro');
    const error = { message: 'Slow down.', type: 'rate_limit_exceeded' };
    await app.page.route('**/v1/images/generations', (route) =>
      isHeld() ? route.continue() : route.fulfill({ status: 429, json: { error } }),
    );
    const isHeld = await hold('flux-pro');
    await app.generate('dall-e-3', { size: '1024x1024' });
    await advanceUntil(isHeld);
    await app.reload();
    await advanceUntil(async () => (await phase()) === 'done');
    assert.deepEqual(models(), ['flux-pro']);
    assert.equal(await note(), 'dall-e-3: rate-limited; flux-pro answered.');
  });

  test('goes on in another tab, and says there that the last model failed as well', async () => {
    await open('');
    const first = await app.context.newPage();
    await first.goto(`${app.served.url}/#model=${FAILS}&prompt=A+lemon&size=512x512&fallback=${FAILS_TOO}`);
    await first.click('[name=send]');
    await first.locator('.state', { hasText: 'Accepted as a task' }).waitFor();
    await first.close();
    await advanceUntil(async () => (await phase()) === 'failed');
    assert.equal(await note(), `${FAILS}: the task failed; ${FAILS_TOO} failed as well.`);
    assert.deepEqual(models(), [FAILS, FAILS_TOO]);
  });

  test('of a relay with a hub is left to the hub, and the card names its models', async () => {
    await open('flux-pro, dall-e-2');
    const skipped = (model, more) => ({ model, error: { kind: 'task_failed', outcome: 'failed', ...more } });
    let view = { status: 'pending', data: [] };
    const paths = [];
    const answer = (route) => {
      paths.push(route.request().method());
      return route.fulfill({ json: { created: 1, task_id: 'img_hub', ...view } });
    };
    await app.context.route('**/v1/images/generations', answer);
    await app.context.route('**/v1/{tasks,images/generations}/img_hub', answer);
    await app.generate(FAILS);
    await app.state('Accepted as a task');
    view = { ...view, model: 'flux-pro', skipped_models: [skipped(FAILS)] };
    await app.advance(5000);
    await app.$('.fallback', { hasText: `${FAILS}: the task failed; trying flux-pro.` }).waitFor();
    await app.reload();
    await app.$('.fallback', { hasText: `${FAILS}: the task failed; trying flux-pro.` }).waitFor();
    const refused = { kind: 'rate_limit', outcome: 'rejected', status: 429 };
    view.skipped_models.push(skipped('flux-pro', refused));
    const picture = { b64_json: PICTURE };
    view = { ...view, status: 'completed', model: 'dall-e-2', data: [picture] };
    await advanceUntil(async () => (await phase()) === 'done');
    assert.equal(await note(), `${FAILS}: the task failed; flux-pro: rate-limited; dall-e-2 answered.`);
    await app.card.locator('.picture').click();
    await app.$('#viewer .meta', { hasText: 'dall-e-2' }).waitFor();
    await app.page.keyboard.press('Escape');

    // A hub that has failed went through the models itself, or must not go on.
    for (const error of [
      { code: 'create_outcome_unknown', message: 'It may have been billed.', skipped_models: [] },
      { code: 'create_failed', message: 'Refused.', skipped_models: [] },
      { message: 'Failed.', skipped_models: [skipped(FAILS), skipped('flux-pro')] },
    ]) {
      view = { status: 'pending', data: [] };
      await app.generate(FAILS, { prompt: error.message });
      await app.state('Accepted as a task');
      await app.reload();
      view = { status: 'failed', data: [], error };
      await advanceUntil(async () => (await phase()) === 'failed');
    }
    assert.match(
      await note(),
      /^test-task-failed-object: the task failed; flux-pro: the task failed; dall-e-2 failed as well/,
    );
    assert.equal(paths.filter((method) => method === 'POST').length, 4);
    assert.equal(app.creates().length, 0);
  });
});

describe('the next model', () => {
  const TASK = { task_id: 'img_1' };
  const failed = (more) => ({ kind: 'task_failed', outcome: 'failed', ...more });
  let calls;
  beforeEach(() => {
    calls = [];
  });

  /** Goes on with a generation whose task ends with an error. */
  function run({ error, task = TASK, ...more }) {
    const generation = {
      id: 'a',
      request: { prompt: 'x', model: 'a', fallback: ['b', 'c'] },
      snapshot: { idempotencyKey: 'k' },
      timeline: { rows: [] },
      tried: [],
      ...more,
    };
    const client = {
      async waitForTask() {
        throw error;
      },
      async generateAndWait({ model }, { idempotencyKey, fallback }) {
        calls.push([model, idempotencyKey, fallback]);
        return { data: [] };
      },
    };
    const options = { idempotencyKey: 'k', fetch };
    const { sources = async () => undefined } = more;
    return goOn(client, generation, task, options, { relay: 'now', sources });
  }

  test('follows a failed task', async () => {
    await run({ error: failed() });
    await run({ error: failed(), chain: { index: 1, key: 'k-1', before: 'img_0' } });
    assert.deepEqual(calls, [
      ['b', 'k-1', ['c']],
      ['c', 'k-2', undefined],
    ]);
    await assert.rejects(run({ error: failed(), chain: { index: 2, key: 'k-2' } }), failed());
    assert.equal(calls.length, 2, 'there is no other model');
  });

  test('follows nothing that may be billed, and no end of a hub', async () => {
    for (const error of [
      failed({ code: 'create_outcome_unknown', skippedModels: [] }),
      failed({ outcome: 'unknown' }),
      failed({ kind: 'task_cancelled' }),
      { kind: 'wait_timeout', outcome: 'accepted' },
      { kind: 'task_not_found', outcome: 'accepted' },
      new DOMException('Aborted', 'AbortError'),
    ]) {
      await assert.rejects(run({ error }), (thrown) => thrown === error);
    }
    assert.deepEqual(calls, []);
  });

  test('is asked again through the relay that got its create, within an hour, and nowhere else', async () => {
    const chain = { index: 1, key: 'k-1', before: TASK.task_id, relay: 'now', sentAt: Date.now() };
    await run({ chain });
    await run({ chain: { ...chain, before: undefined }, task: null });
    assert.deepEqual(calls, Array(2).fill(['b', 'k-1', ['c']]));
    const times = [-3_700_000, 3_700_000].map((ms) => ({ sentAt: Date.now() + ms }));
    for (const other of [{ relay: 'then' }, { relay: undefined }, ...times]) {
      await assert.rejects(run({ chain: { ...chain, ...other } }), { outcome: 'unknown' });
    }
    assert.equal(calls.length, 2);
  });

  test('is not asked for without its reference pictures, and says whether it may be billed', async () => {
    const missing = { kind: 'sources', outcome: 'not_sent' };
    const sources = async () => {
      throw missing;
    };
    const chain = { index: 1, key: 'k-1', before: TASK.task_id, relay: 'now', sentAt: Date.now() };
    await assert.rejects(run({ task: null, sources }), missing);
    await assert.rejects(run({ task: null, sources, isRepeat: true }), { outcome: 'unknown' });
    await assert.rejects(run({ chain, sources }), { outcome: 'unknown' });
    await assert.rejects(run({ error: failed(), sources, isRepeat: true }), missing);
    assert.deepEqual(calls, []);
  });

  test('is in the words for the models that a hub has tried', () => {
    const error = (kind, status) => ({ kind, status });
    const rows = rowsOfSkipped(
      [
        { model: 'a', error: error('task_failed') },
        { model: 'b', error: error('not_found', 404) },
        { model: 'c', error: error('connection') },
      ],
      'd',
    );
    assert.equal(
      fallbackWords(rows, 'waiting'),
      'a: the task failed; b: refused with 404; c: not reached; trying d.',
    );
  });
});
