/**
 * The hub ends at every step of a task: no task is lost, none is paid for twice, and an outcome that cannot be known is
 * reported as unknown.
 *
 * All steps are tried at once: a task for each of them stops at its step, then the hub ends, starts again on the same
 * files, and goes on by itself. Only then does a client come back.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { startServer } from '../server/index.js';
import { startControl } from './control.js';
import { makeFiles, makeModules, nameOf, optionsOf, until } from './place.js';
import { startProcess } from './processes.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 600_000 };
/** The hub detects a lost request five seconds after its time-out. */
const REQUEST_TIMEOUT_MS = 20_000;
/** Long enough that a hub ends between two polls. */
const POLL_MS = 500;
/** The second of two requests at once waits for twenty seconds. */
const NARROW_PER_MINUTE = 3;

/** A duplicate of a create whose outcome is unknown is refused, and its reference names a failed task. */
const UNKNOWN = ['upstream_error', 'create_outcome_unknown'];

/** Takes pictures, and answers with a task. */
const EDITED = { model: 'flux-2-pro', isEdit: true };

/**
 * The steps. `stored` is the phase in which the hub ends, `end` the phase that the task reaches on its own afterwards,
 * `creates` how many the provider has received when the hub ends and in all, and `results` what a client gets that
 * comes back with its key, and with its reference. A step is reached where its task stops, under the same name in
 * `holds.js`, or where `met` holds. `isBrief` says that the hub leaves it by itself after some seconds. `short` is what
 * differs with short creates.
 */
const STEPS = {
  arrives: {
    what: 'before the create is stored',
    stored: undefined,
    // The hub knows nothing of it: its client asks again.
    end: undefined,
    creates: [0, 1],
    results: ['completed', undefined],
  },
  'before its admission': {
    what: 'stored, and not sent',
    stored: 'queued',
    end: 'completed',
    creates: [0, 1],
    results: ['completed', 'completed'],
  },
  admitted: {
    what: 'admitted, and not sent',
    stored: 'queued',
    end: 'completed',
    creates: [0, 1],
    results: ['completed', 'completed'],
  },
  narrow: {
    what: 'queued at the limiter',
    // The answer to its create says that it is queued.
    met: () => true,
    isBrief: true,
    stored: 'queued',
    end: 'completed',
    creates: [0, 1],
    results: ['completed', 'completed'],
  },
  sending: {
    what: 'stored as being sent, and not sent',
    stored: 'sending',
    end: 'unknown',
    creates: [0, 0],
    results: UNKNOWN,
  },
  unanswered: {
    what: 'sent, and not answered',
    model: 'test-hang',
    met: (place, step) => place.creates(step) === 1,
    isBrief: true,
    stored: 'sending',
    end: 'unknown',
    creates: [1, 1],
    results: UNKNOWN,
  },
  answered: {
    what: 'answered, and the answer is not stored',
    stored: 'sending',
    end: 'unknown',
    creates: [1, 1],
    results: UNKNOWN,
  },
  making: {
    what: 'the model makes the picture, and answers with it',
    model: 'gpt-image-2',
    met: (place, step) => place.creates(step) === 1,
    isBrief: true,
    stored: 'sending',
    end: 'unknown',
    creates: [1, 1],
    results: UNKNOWN,
    short: { stored: 'waiting', end: 'completed', results: ['completed', 'completed'] },
  },
  'without async': {
    what: 'the model takes no short create',
    model: 'test-no-async,task',
    met: (place, step) => place.polls(step) > 0,
    stored: 'waiting',
    end: 'completed',
    creates: [1, 1],
    results: ['completed', 'completed'],
    // It has refused the first of them.
    short: { creates: [2, 2] },
  },
  'edit admitted': {
    what: 'an edit is stored with its file, and not sent',
    ...EDITED,
    stored: 'queued',
    end: 'completed',
    creates: [0, 1],
    results: ['completed', 'completed'],
  },
  'edit sending': {
    what: 'an edit is stored as being sent, and not sent',
    ...EDITED,
    stored: 'sending',
    end: 'unknown',
    creates: [0, 0],
    results: UNKNOWN,
  },
  'edit answered': {
    what: 'an edit is answered, and the answer is not stored',
    ...EDITED,
    stored: 'sending',
    end: 'unknown',
    creates: [1, 1],
    results: UNKNOWN,
  },
  'edit poll begun': {
    what: 'a poll of an edit is stored, and not sent',
    ...EDITED,
    stored: 'waiting',
    end: 'completed',
    creates: [1, 1],
    results: ['completed', 'completed'],
  },
  'first of a chain': {
    what: "the task of a chain's first model runs, and fails later",
    model: 'test-task-failed-object',
    fallback: ['flux-pro'],
    met: (place, step) => place.polls(step) > 0,
    stored: 'waiting',
    end: 'completed',
    creates: [1, 2],
    results: ['completed', 'completed'],
  },
  'second of a chain': {
    what: "the create of a chain's second model is not answered",
    model: 'test-error-400-model-not-found',
    fallback: ['test-hang', 'flux-pro'],
    met: (place, step) => place.creates(step) === 2,
    isBrief: true,
    stored: 'sending',
    end: 'unknown',
    creates: [2, 2],
    results: UNKNOWN,
  },
  repeating: {
    what: 'refused for now, to be sent again',
    model: 'test-error-429:1,task',
    met: (place, step) => place.creates(step) === 1,
    isBrief: true,
    stored: 'queued',
    end: 'completed',
    // The provider has refused the first of them.
    creates: [1, 2],
    results: ['completed', 'completed'],
  },
  waiting: {
    what: 'waits between two polls',
    met: (place, step) => place.polls(step) > 0,
    stored: 'waiting',
    end: 'completed',
    creates: [1, 1],
    results: ['completed', 'completed'],
  },
  'poll begun': {
    what: 'a poll is stored, and not sent',
    stored: 'waiting',
    end: 'completed',
    creates: [1, 1],
    results: ['completed', 'completed'],
  },
  polled: {
    what: 'a poll is sent, and not answered',
    model: 'test-poll:hang:1',
    met: (place, step) => place.polls(step) === 1,
    stored: 'waiting',
    end: 'completed',
    creates: [1, 1],
    results: ['completed', 'completed'],
  },
  'poll answered': {
    what: 'a poll is answered, and the answer is not stored',
    stored: 'waiting',
    end: 'completed',
    creates: [1, 1],
    results: ['completed', 'completed'],
  },
  'before a picture': {
    what: 'the result is stored, and no picture is copied',
    isOver: true,
    stored: 'copying',
    end: 'completed',
    creates: [1, 1],
    results: ['completed', 'completed'],
  },
  'after a picture': {
    what: 'the pictures are copied, which is not stored',
    isOver: true,
    stored: 'copying',
    end: 'completed',
    creates: [1, 1],
    results: ['completed', 'completed'],
  },
  completed: {
    what: 'completed',
    isOver: true,
    met: () => true,
    stored: 'completed',
    end: 'completed',
    creates: [1, 1],
    results: ['completed', 'completed'],
  },
  failed: {
    what: 'failed',
    model: 'test-task-failed-object',
    isOver: true,
    met: () => true,
    stored: 'failed',
    end: 'failed',
    creates: [1, 1],
    results: ['upstream_error', 'upstream_error'],
  },
  refused: {
    what: 'refused',
    model: 'test-error-400',
    met: () => true,
    stored: 'refused',
    end: 'refused',
    creates: [1, 1],
    results: ['invalid_request_error', undefined],
  },
  suspended: {
    what: 'suspended, since its polls are refused',
    model: 'test-poll:error-422:1',
    met: () => true,
    stored: 'suspended',
    end: 'suspended',
    creates: [1, 1],
    results: ['completed', 'completed'],
  },
};

const OBJECTS_END = 'an end of every object';
const SHORT = 'SIGKILL with short creates';

async function restart(place) {
  assert.equal(await place.hub.kill(), 2);
  place.hub = await startProcess(place.options);
}

const ENDS = {
  'SIGKILL of miniflare and workerd': restart,
  [SHORT]: restart,
  'a deploy of another script': async (place) => {
    const [script, ...others] = place.options.modules;
    const contents = `${script.contents}\nconsole.log('another script');\n`;
    await place.hub.deploy({ ...place.options, modules: [{ ...script, contents }, ...others] });
    await until(() => place.hub.printed.join('').includes('another script'));
  },
  [OBJECTS_END]: async (place) => {
    const objects = Object.keys(STEPS).map(objectOf);
    // The call ends with the object.
    await Promise.all(objects.map((object) => place.hub.inside(object, 'reset').catch(() => {})));
  },
};

const keyOf = (step) => `key-of-${step.replaceAll(' ', '-')}`;
const objectOf = (step) => nameOf(step, keyOf(step));
const PICTURE = new Blob([Buffer.from('89504e470d0a1a0a0000', 'hex')], { type: 'image/png' });
const DIGEST = createHash('sha256').update(Buffer.from('89504e470d0a1a0a0000', 'hex')).digest('hex');
const requestOf = (step) => {
  const { model = 'flux-pro', isEdit } = STEPS[step];
  return { prompt: step, model, ...(isEdit && { image: PICTURE }) };
};
/** Creates or edits, with a client of its own user. */
const create = (place, step, method) =>
  place.hub
    .client(step, { maxRetries: 0 })
    [STEPS[step].isEdit ? method.replace('generate', 'edit') : method](requestOf(step), {
      idempotencyKey: keyOf(step),
      fallback: STEPS[step].fallback,
    });

/** The result of a client's promise, in a word. */
const wordOf = (promise) =>
  promise.then(
    ({ status }) => status,
    ({ kind, code, message }) => code ?? kind ?? message,
  );

async function startPlace(more) {
  const files = makeFiles();
  const control = await startControl();
  const server = await startServer({
    taskMs: 3_600_000,
    inlineMs: 3_600_000,
    pollPath: 'tasks',
    retryAfter: 20,
    onRequest() {
      if (place.finishes) for (const task of server.tasks.values()) task.startedAt = 0;
    },
  });
  const bindings = {
    POLL_MS,
    REQUEST_TIMEOUT_MS,
    ANSWER_WITHIN_MS: 300,
    LEMONDATA_PER_MINUTE: 100_000,
    NARROW_PER_MINUTE,
    KEEPS: true,
    CONTROL: control.url,
    ...more,
  };
  const options = { ...optionsOf(server, bindings, files), modules: await makeModules() };
  const hub = await startProcess(options);
  const taskOf = (step) => [...server.tasks.values()].find(({ prompt }) => prompt === step);
  const place = {
    options,
    hub,
    server,
    control,
    /** Whether every task is over at its next poll. */
    finishes: false,
    taskOf,
    stored: async (step) => (await place.hub.inside(objectOf(step), 'stored')).entries,
    requests: (step) => server.counts.requests.filter(({ body }) => body?.prompt === step),
    creates: (step) => place.requests(step).length,
    polls: (step) => server.counts.requests.filter(({ path }) => path.endsWith(taskOf(step)?.id)).length,
    async close() {
      await place.hub.kill();
      await control.close();
      await server.close();
      files.remove();
    },
  };
  return place;
}

/** Takes a task to its step, and returns the reference that its client has by then. */
async function meet(place, step, { stored, met, isOver }) {
  // The first request takes the only admission for now.
  if (step === 'narrow') await place.hub.create('narrow', { prompt: 'first', model: 'dall-e-3' });
  const creating = create(place, step, 'generate');
  // A create that is refused is met all the same.
  creating.catch(() => {});
  if (step === 'arrives') {
    await place.control.arrival(step);
    return undefined;
  }
  const { task_id } = await creating.catch(() => ({}));
  if (isOver) (await until(() => place.taskOf(step))).startedAt = 0;
  if (!met) await place.control.arrival(step);
  else {
    await until(async () => {
      const phase = (await place.stored(step)).job?.phase;
      return phase === stored && met(place, step);
    });
  }
  return task_id;
}

describe('a hub that ends at every step of its tasks', { ...GUARD, concurrency: true }, () => {
  /** The records of all steps, by the end of the hub. */
  const tables = {};
  after(() => console.log(tableOf(tables)));

  for (const [how, end] of Object.entries(ENDS)) {
    describe(how, () => {
      const steps = Object.keys(STEPS).filter((step) => {
        const { stored, short } = STEPS[step];
        // The others have nothing to do with the length of a create.
        if (how === SHORT) return short || stored === 'sending';
        // A create that has not arrived does not end with the objects.
        return step !== 'arrives' || how !== OBJECTS_END;
      });
      /** What is expected of a step. */
      const expected = (step) => ({ ...STEPS[step], ...(how === SHORT && STEPS[step].short) });
      let place;
      const records = Object.fromEntries(steps.map((step) => [step, {}]));
      tables[how] = records;

      before(async () => {
        place = await startPlace({ SETTINGS: { shortCreates: how === SHORT } });
        // The brief ones last, so that they are still there when the hub ends.
        for (const isBrief of [false, true]) {
          await Promise.all(
            steps
              .filter((step) => Boolean(STEPS[step].isBrief) === isBrief)
              .map(async (step) => {
                records[step].reference = await meet(place, step, expected(step));
              }),
          );
        }
        for (const [step, record] of Object.entries(records)) {
          record.stored = (await place.stored(step)).job?.phase;
          record.creates = [place.creates(step)];
        }
        await end(place);
        place.control.open();
        place.finishes = true;

        // No client asks for anything: a look at the stored rows does not drive an object.
        await Promise.all(
          Object.entries(records).map(async ([step, record]) => {
            const hasEnded = async () => {
              record.end = (await place.stored(step)).job?.phase;
              return record.end === expected(step).end;
            };
            // If it has not, the test of that step fails.
            await until(hasEnded, { everyMs: 200, withinMs: 180_000 }).catch(() => {});
          }),
        );

        await Promise.all(
          Object.entries(records).map(async ([step, record]) => {
            record.byKey = await wordOf(create(place, step, 'generateAndWait'));
            // A refused create has a reference only if its answer came late.
            if (record.reference && expected(step).results[1]) {
              const client = place.hub.client(step, { maxRetries: 0 });
              record.byReference = await wordOf(client.waitForTask(record.reference));
            }
            const rows = Object.keys(await place.stored(step));
            record.left = rows.filter((name) => /^(request|file)/.test(name));
            record.digests = place.requests(step).map(({ body }) => body.image?.[0].sha256);
            record.creates.push(place.creates(step));
          }),
        );
      });

      after(() => place?.close());

      for (const step of steps) {
        const { what, isEdit, stored, end, creates, results } = expected(step);
        test(what, () => {
          const record = records[step];
          assert.deepEqual(
            { stored: record.stored, end: record.end, creates: record.creates },
            { stored, end, creates },
          );
          assert.deepEqual([record.byKey, record.byReference], results);
          assert.deepEqual(record.left, [], 'the request and its files are gone');
          assert.ok(record.digests.every((digest) => digest === (isEdit ? DIGEST : undefined)));
        });
      }
    });
  }
});

describe('a hub that ends while it forgets a task', { ...GUARD, concurrency: true }, () => {
  for (const point of ['deleting', 'deleted']) {
    test(`forgets it after a restart: ${point}`, async () => {
      const place = await startPlace({ RETENTION_MS: 100, HOLDS_DELETE: true });
      try {
        const created = await place.hub.create('ann', { prompt: 'a lemon', model: 'flux-pro' }, 'key');
        const { task_id } = await created.json();
        place.finishes = true;
        if (point === 'deleted') {
          await place.control.arrival('deleting');
          place.control.open('deleting');
        }
        await place.control.arrival(point);
        const object = nameOf('ann', 'key');
        assert.ok(
          (await place.hub.inside(object, 'stored')).entries.job,
          'it is there until its pictures are gone',
        );
        await place.hub.kill();
        place.hub = await startProcess(place.options);
        place.control.open();
        const stored = await until(async () => {
          const now = await place.hub.inside(object, 'stored');
          return !now.entries.job && now;
        });
        assert.deepEqual([stored.entries, stored.alarm], [{}, null]);
        for (const path of [`/v1/tasks/${task_id}`, `/v1/tasks/${task_id}/images/0`]) {
          assert.equal((await place.hub.fetch('ann', path)).status, 404);
        }
        assert.equal(place.server.counts.creates, 1);
      } finally {
        await place.close();
      }
    });
  }
});

/** One table for all ends of the hub: a cell has several values where they differ. */
function tableOf(tables) {
  const columns = {
    stored: (record) => record.stored,
    end: (record) => record.end,
    creates: (record) => record.creates?.join(' → '),
    'by its key': (record) => record.byKey,
    'by its reference': (record) => record.byReference,
  };
  const rows = Object.entries(STEPS).map(([step, { what }]) => {
    const ends = Object.values(tables).flatMap((records) => records[step] ?? []);
    const cells = Object.values(columns).map((value) => new Set(ends.map((record) => value(record) ?? '–')));
    return [what, ...cells.map((values) => [...values].join(' / '))];
  });
  const all = [[Object.keys(tables).join(', '), ...Object.keys(columns)], ...rows];
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)));
  return all.map((row) => row.map((text, column) => text.padEnd(widths[column])).join('  ')).join('\n');
}
