/**
 * What becomes of a task when everything ends, at every step of it: no task is lost, none is paid for twice, and what
 * nobody can know is said to be unknown.
 *
 * All steps are met at once: a task for each of them stops at its step, then the hub ends, starts again on the same
 * files, and goes on by itself. Only when that is over does a client come back.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startServer } from '../server/index.js';
import { startControl } from './control.js';
import { makeFiles, makeModules, nameOf, optionsOf, until } from './place.js';
import { startProcess } from './processes.js';

/** All of it needs much less: it ends what would hang. */
const GUARD = { timeout: 60_000 };
/** A hub finds out that a request has been lost five seconds after its time-out. */
const REQUEST_TIMEOUT_MS = 5000;
/** Long enough that a hub ends between two polls. */
const POLL_MS = 500;
/** The second of two that want a turn at once waits for five seconds. */
const NARROW_PER_MINUTE = 13;

/** A create whose outcome nobody knows is refused to whoever repeats it, and its reference is of a failed task. */
const UNKNOWN = ['upstream_error', 'create_outcome_unknown'];

/**
 * The steps. `stored` is the phase in which the hub ends, `end` the one that the task comes to by itself afterwards,
 * `creates` how many the provider has seen when the hub ends and in all, and `told` what a client gets that comes back
 * with its key, and with its reference. A step is met where its task stops, which `holds.js` calls by the same name, or
 * where `met` says so.
 */
const STEPS = {
  arrives: {
    what: 'before the create is stored',
    stored: undefined,
    // The hub knows nothing of it: whoever wanted it asks again.
    end: undefined,
    creates: [0, 1],
    told: ['completed', undefined],
  },
  'before its turn': {
    what: 'stored, and not sent',
    stored: 'queued',
    end: 'completed',
    creates: [0, 1],
    told: ['completed', 'completed'],
  },
  'at its turn': {
    what: 'has its turn, and is not sent',
    stored: 'queued',
    end: 'completed',
    creates: [0, 1],
    told: ['completed', 'completed'],
  },
  narrow: {
    what: 'queued at the limiter',
    // That it is queued is the answer to its create.
    met: () => true,
    stored: 'queued',
    end: 'completed',
    creates: [0, 1],
    told: ['completed', 'completed'],
  },
  sending: {
    what: 'stored as being sent, and not sent',
    stored: 'sending',
    end: 'unknown',
    creates: [0, 0],
    told: UNKNOWN,
  },
  unanswered: {
    what: 'sent, and not answered',
    model: 'test-hang',
    met: (place, step) => place.creates(step) === 1,
    stored: 'sending',
    end: 'unknown',
    creates: [1, 1],
    told: UNKNOWN,
  },
  answered: {
    what: 'answered, and the answer is not stored',
    stored: 'sending',
    end: 'unknown',
    creates: [1, 1],
    told: UNKNOWN,
  },
  repeating: {
    what: 'refused for now, to be sent again',
    model: 'test-error-429:1,task',
    met: (place, step) => place.creates(step) === 1,
    stored: 'queued',
    end: 'completed',
    // The provider has refused the first of them.
    creates: [1, 2],
    told: ['completed', 'completed'],
  },
  waiting: {
    what: 'waits between two polls',
    met: (place, step) => place.polls(step) > 0,
    stored: 'waiting',
    end: 'completed',
    creates: [1, 1],
    told: ['completed', 'completed'],
  },
  'poll begun': {
    what: 'a poll is stored, and not sent',
    stored: 'waiting',
    end: 'completed',
    creates: [1, 1],
    told: ['completed', 'completed'],
  },
  polled: {
    what: 'a poll is sent, and not answered',
    model: 'test-poll:hang:1',
    met: (place, step) => place.polls(step) === 1,
    stored: 'waiting',
    end: 'completed',
    creates: [1, 1],
    told: ['completed', 'completed'],
  },
  'poll answered': {
    what: 'a poll is answered, and the answer is not stored',
    stored: 'waiting',
    end: 'completed',
    creates: [1, 1],
    told: ['completed', 'completed'],
  },
  'before a picture': {
    what: 'the result is stored, and no picture is copied',
    isOver: true,
    stored: 'keeping',
    end: 'completed',
    creates: [1, 1],
    told: ['completed', 'completed'],
  },
  'after a picture': {
    what: 'the pictures are copied, which is not stored',
    isOver: true,
    stored: 'keeping',
    end: 'completed',
    creates: [1, 1],
    told: ['completed', 'completed'],
  },
  completed: {
    what: 'completed',
    isOver: true,
    met: () => true,
    stored: 'completed',
    end: 'completed',
    creates: [1, 1],
    told: ['completed', 'completed'],
  },
  failed: {
    what: 'failed',
    model: 'test-task-failed-object',
    isOver: true,
    met: () => true,
    stored: 'failed',
    end: 'failed',
    creates: [1, 1],
    told: ['upstream_error', 'upstream_error'],
  },
  refused: {
    what: 'refused',
    model: 'test-error-400',
    met: () => true,
    stored: 'refused',
    end: 'refused',
    creates: [1, 1],
    told: ['invalid_request_error', undefined],
  },
  left: {
    what: 'left, since its polls are refused',
    model: 'test-poll:error-422:1',
    met: () => true,
    stored: 'left',
    end: 'left',
    creates: [1, 1],
    told: ['completed', 'completed'],
  },
};

const OBJECTS_END = 'an end of every object';

const ENDS = {
  'SIGKILL of miniflare and workerd': async (place) => {
    assert.equal(await place.hub.kill(), 2);
    place.hub = await startProcess(place.options);
  },
  'a deploy of another script': async (place) => {
    const [script, ...others] = place.options.modules;
    const contents = `${script.contents}\nconsole.log('another script');\n`;
    await place.hub.deploy({ ...place.options, modules: [{ ...script, contents }, ...others] });
    await until(() => place.hub.printed.join('').includes('another script'));
  },
  [OBJECTS_END]: async (place) => {
    const objects = Object.keys(STEPS).map(objectOf);
    // It ends the call that asks for it, too.
    await Promise.all(objects.map((object) => place.hub.inside(object, 'reset').catch(() => {})));
  },
};

const keyOf = (step) => `key-of-${step.replaceAll(' ', '-')}`;
const objectOf = (step) => nameOf(step, keyOf(step));
const requestOf = (step) => ({ prompt: step, model: STEPS[step].model ?? 'flux-pro' });

/** What has become of a promise of the client, in a word. */
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
    pollPath: 'tasks',
    retryAfter: 4,
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
    /** Whether every task is over as soon as somebody asks for it. */
    finishes: false,
    taskOf,
    stored: async (step) => (await place.hub.inside(objectOf(step), 'stored')).entries,
    creates: (step) => server.counts.requests.filter(({ body }) => body?.prompt === step).length,
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

/** Has a task come to its step, and returns the reference that its client has by then. */
async function meet(place, step) {
  const { met, isOver } = STEPS[step];
  // Whoever comes first has the only turn that there is for now.
  if (step === 'narrow') await place.hub.create('narrow', { prompt: 'first', model: 'dall-e-3' });
  const asked = place.hub.create(step, requestOf(step), keyOf(step)).then((response) => response.json());
  if (step === 'arrives') {
    asked.catch(() => {});
    await place.control.arrival(step);
    return undefined;
  }
  const { task_id } = await asked;
  if (isOver) (await until(() => place.taskOf(step))).startedAt = 0;
  if (!met) await place.control.arrival(step);
  else {
    await until(async () => {
      const phase = (await place.stored(step)).job?.phase;
      return phase === STEPS[step].stored && met(place, step);
    });
  }
  return task_id;
}

describe('a hub that ends at every step of its tasks', { ...GUARD, concurrency: true }, () => {
  /** What has been seen of each step, by the end of the hub. */
  const results = {};
  after(() => console.log(tableOf(results)));

  for (const [how, end] of Object.entries(ENDS)) {
    describe(how, () => {
      // What has not arrived does not end with the objects.
      const steps = Object.keys(STEPS).filter((step) => step !== 'arrives' || how !== OBJECTS_END);
      let place;
      const seen = Object.fromEntries(steps.map((step) => [step, {}]));
      results[how] = seen;

      before(async () => {
        place = await startPlace();
        await Promise.all(
          steps.map(async (step) => {
            seen[step].reference = await meet(place, step);
          }),
        );
        for (const [step, about] of Object.entries(seen)) {
          about.stored = (await place.stored(step)).job?.phase;
          about.creates = [place.creates(step)];
        }
        await end(place);
        place.control.open();
        place.finishes = true;

        // Nobody asks for anything: looking at what is stored has no object do anything.
        await Promise.all(
          Object.entries(seen).map(async ([step, about]) => {
            const hasEnded = async () => {
              about.end = (await place.stored(step)).job?.phase;
              return about.end === STEPS[step].end;
            };
            // Where it has not, the test of that step says so.
            await until(hasEnded, { everyMs: 100 }).catch(() => {});
          }),
        );

        await Promise.all(
          Object.entries(seen).map(async ([step, about]) => {
            const client = place.hub.client(step, { maxRetries: 0 });
            about.byKey = await wordOf(
              client.generateAndWait(requestOf(step), { idempotencyKey: keyOf(step) }),
            );
            // Whether there is one for a create that is refused is a matter of time.
            if (about.reference && STEPS[step].told[1]) {
              about.byReference = await wordOf(client.waitForTask(about.reference));
            }
            about.creates.push(place.creates(step));
          }),
        );
      });

      after(() => place?.close());

      for (const step of steps) {
        const { what, stored, end, creates, told } = STEPS[step];
        test(what, () => {
          const about = seen[step];
          assert.deepEqual(
            { stored: about.stored, end: about.end, creates: about.creates },
            { stored, end, creates },
          );
          assert.deepEqual([about.byKey, about.byReference], told);
        });
      }
    });
  }
});

describe('a hub that ends while it forgets a task', { ...GUARD, concurrency: true }, () => {
  for (const point of ['deleting', 'deleted']) {
    test(`forgets it all the same: ${point}`, async () => {
      const place = await startPlace({ RETENTION_MS: 100, HOLDS_DELETE: true });
      try {
        const asked = await place.hub.create('ann', { prompt: 'a lemon', model: 'flux-pro' }, 'key');
        const { task_id } = await asked.json();
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
function tableOf(results) {
  const columns = {
    stored: (about) => about.stored,
    end: (about) => about.end,
    creates: (about) => about.creates?.join(' → '),
    'by its key': (about) => about.byKey,
    'by its reference': (about) => about.byReference,
  };
  const rows = Object.entries(STEPS).map(([step, { what }]) => {
    const ends = Object.values(results).flatMap((seen) => seen[step] ?? []);
    const cells = Object.values(columns).map((value) => new Set(ends.map((about) => value(about) ?? '–')));
    return [what, ...cells.map((values) => [...values].join(' / '))];
  });
  const all = [[Object.keys(results).join(', '), ...Object.keys(columns)], ...rows];
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)));
  return all.map((row) => row.map((text, column) => text.padEnd(widths[column])).join('  ')).join('\n');
}
