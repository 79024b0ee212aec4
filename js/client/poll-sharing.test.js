/**
 * Calls that share polls, in random interleavings, beside a reference that keeps one record for each group.
 * `SHARING_SEED=…` repeats a run.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomFrom } from '../../tests/stress/random.js';
import { Subscriber } from './poll-sharing.js';

const RUNS = 300;
const STEPS = 200;
const IDENTITIES = ['a', 'b'];
const URLS = ['/v1/tasks/1', '/v1/images/generations/1', '/v1/tasks/2'];
const [NOTHING, POLL, STREAM] = [0, 1, 2];
/** In place of an attempt: the call that led has gone. */
const GONE = 'gone';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** The attempts of a stream, which a test sends. */
function channel() {
  const queue = [];
  let wake = () => {};
  const put = (item) => {
    queue.push(item);
    wake();
  };
  return {
    send: (attempt) => put({ attempt }),
    end: () => put({ isOver: true }),
    fail: () => put({ error: new TypeError('The connection was lost.') }),
    async *attempts() {
      for (;;) {
        while (queue.length === 0) {
          await new Promise((resolve) => {
            wake = resolve;
          });
        }
        const { attempt, isOver, error } = queue.shift();
        if (error) throw error;
        if (isOver) return;
        yield attempt;
      }
    },
  };
}

/** What has to happen, said in the plainest way. */
class Reference {
  /** The group of each call that is in one. */
  places = new Map();
  groups = new Map();
  /** What each call has received. */
  heard = new Map();

  group(name) {
    return this.groups.get(this.places.get(name));
  }

  tell(names, item) {
    for (const name of names) this.heard.get(name).push(item);
  }

  join(name, identity, url, isSilent) {
    const place = `${identity} ${url}`;
    const isNew = this.places.get(name) !== place;
    if (isNew) {
      this.leave(name);
      if (!this.groups.has(place)) this.groups.set(place, { members: new Set() });
      this.places.set(name, place);
      this.group(name).members.add(name);
    }
    const group = this.group(name);
    const isInformed = isNew && group.latest !== undefined;
    if (isInformed) this.tell([name], group.latest);
    if (group.leader?.stream && !isSilent) return STREAM;
    if (group.leader?.stream) this.endStream(group);
    if (isInformed || (group.leader && group.leader.name !== name)) return POLL;
    group.leader = { name };
    return NOTHING;
  }

  /** The stream of a group ends, and those in it have to poll. */
  endStream(group) {
    const { stream } = group.leader;
    group.leader = undefined;
    stream.isOver = true;
    this.tell(group.members, GONE);
  }

  publish(name, id, stream) {
    const group = this.group(name);
    if (group?.leader?.name !== name || group.leader.stream) return false;
    group.leader = stream && { name, stream };
    group.latest = id;
    this.tell(
      [...group.members].filter((member) => member !== name),
      id,
    );
    return true;
  }

  leave(name) {
    const group = this.group(name);
    if (!group) return;
    // A call that reads a stream hears of its end itself; one that polls knows that it leaves.
    if (group.leader?.name === name && group.leader.stream) this.endStream(group);
    group.members.delete(name);
    this.places.delete(name);
    if (group.leader?.name === name) {
      group.leader = undefined;
      this.tell(group.members, GONE);
    }
    if (group.members.size === 0)
      for (const [place, each] of this.groups) each === group && this.groups.delete(place);
  }
}

/** One run of random steps. */
async function run(seed, number) {
  const random = randomFrom(seed, number);
  const reference = new Reference();
  const heard = new Map();
  const calls = Array.from({ length: 6 }, (_, index) => {
    const name = `call ${index}`;
    const identity = IDENTITIES[index % 2];
    const items = [];
    heard.set(name, items);
    reference.heard.set(name, []);
    const subscriber = new Subscriber({
      receive(attempt) {
        items.push(attempt ? attempt.body.id : GONE);
        // What one call does to an answer, the others do not see.
        if (attempt) attempt.body.id = 'spoilt';
      },
    });
    return { name, identity, subscriber };
  });
  const streams = [];
  const steps = [];
  let attempts = 0;
  const attempt = (rest) => {
    attempts += 1;
    return { status: 200, body: { id: attempts }, rest };
  };

  function step() {
    const call = random.pick(calls);
    const { name, identity, subscriber } = call;
    const url = random.pick(URLS);
    const open = streams.filter(({ state }) => !state.isOver);
    const over = streams.filter(({ state }) => state.isOver);
    switch (random.weighted({ join: 6, publish: 5, leave: 1, send: 3, sendLate: 1, end: 1 })) {
      case 'join': {
        const isSilent = random.chance(0.1);
        steps.push(`${name} joins ${url}${isSilent ? ', whose stream is silent' : ''}`);
        const expected = reference.join(name, identity, url, isSilent);
        const found = subscriber.join(`${identity} ${url}`, isSilent);
        assert.equal(found, expected);
        break;
      }
      case 'publish': {
        const stream = random.chance(0.4) ? { ...channel(), state: { isOver: false } } : undefined;
        const made = attempt(stream?.attempts());
        const controller = new AbortController();
        steps.push(`${name} publishes ${made.body.id}${stream ? ', a stream' : ''}`);
        if (reference.publish(name, made.body.id, stream?.state) && stream) {
          streams.push({ ...stream, controller, reader: name });
        }
        subscriber.publish(made, controller);
        // It goes on with an answer of its own.
        made.body.id = 'spoilt';
        break;
      }
      case 'leave':
        steps.push(`${name} leaves`);
        reference.leave(name);
        subscriber.leave();
        break;
      case 'send': {
        if (open.length === 0) return;
        const stream = random.pick(open);
        const made = attempt();
        steps.push(`the stream of ${stream.reader} brings ${made.body.id}`);
        const group = reference.group(stream.reader);
        group.latest = made.body.id;
        reference.tell(group.members, made.body.id);
        stream.send(made);
        break;
      }
      case 'sendLate': {
        // A transport may not heed its signal.
        if (over.length === 0) return;
        const stream = random.pick(over);
        const made = attempt();
        steps.push(`the stream of ${stream.reader}, which is over, brings ${made.body.id}`);
        random.pick([() => stream.send(made), stream.end, stream.fail])();
        break;
      }
      default: {
        if (open.length === 0) return;
        const stream = random.pick(open);
        steps.push(`the stream of ${stream.reader} ends`);
        reference.endStream(reference.group(stream.reader));
        random.pick([stream.end, stream.fail])();
      }
    }
  }

  try {
    for (let count = 0; count < STEPS; count += 1) {
      step();
      await turn();
      assert.deepEqual(heard, reference.heard);
      for (const { state, controller } of streams) assert.equal(controller.signal.aborted, state.isOver);
    }
    for (const { name, subscriber } of calls) {
      reference.leave(name);
      subscriber.leave();
    }
    assert.equal(reference.groups.size, 0);
    // Nothing of them is left for those that come later.
    for (const url of URLS) {
      const items = [];
      const fresh = new Subscriber({ receive: (item) => items.push(item) });
      assert.deepEqual([fresh.join(`${IDENTITIES[0]} ${url}`, false), items], [NOTHING, []]);
      fresh.leave();
    }
  } catch (error) {
    error.message += `\nSHARING_SEED=${seed}, run ${number}, after:\n${steps.slice(-12).join('\n')}`;
    throw error;
  }
}

test('calls share polls as the reference does, however they interleave', async () => {
  const seed = Number(process.env.SHARING_SEED ?? Date.now() % 1_000_000);
  for (let number = 0; number < RUNS; number += 1) await run(seed, number);
});
