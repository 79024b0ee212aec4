/**
 * One task, one poll loop: calls of one client that would send the same poll send it once. Each call keeps its own
 * signal, deadline, budget and callbacks, and counts the shared attempt as a poll of its own.
 *
 * A subscriber is a call's place among the others. All of them with the same key form a group. One of them leads: its
 * poll is under way, or it reads a stream for all. The others follow.
 *
 * Edge workers do without this file: there, one request must not wait for another's promise.
 */

import { SOURCE_OWN, SOURCE_POLL, SOURCE_STREAM } from './abi.gen.js';

/**
 * What calls of one key share.
 *
 * @typedef {object} Group
 * @property {string} key names all that makes a poll the same
 * @property {Set<{ receive(attempt?: object): void }>} calls
 * @property {{ receive(attempt?: object): void }} [leader]
 * @property {() => void} [end] ends the stream that the leader reads
 * @property {object} [latest] the attempt that all of them have seen last
 */

/** @type {Map<string, Group>} */
const groups = new Map();

/** An attempt for one more call: what that one does to the answer, the others must not see. */
const copy = (attempt) => ({
  ...attempt,
  body: attempt.body?.constructor === Object ? { ...attempt.body } : attempt.body,
});

/** Hands an attempt to all calls of a group but one, or tells them that the leader has gone. */
function publish(group, attempt, own) {
  if (attempt) group.latest = copy(attempt);
  for (const call of group.calls) if (call !== own) call.receive(attempt && copy(attempt));
}

export class Subscriber {
  #call;
  #group;

  /**
   * @param {{ receive(attempt?: object): void }} call `receive` takes an attempt of another call, or nothing where the
   *   leader has gone
   */
  constructor(call) {
    this.#call = call;
  }

  /**
   * Joins the group of a poll. Returns where its answer comes from. `SOURCE_OWN` makes this call the leader, which has to
   * publish.
   *
   * @param {string} key
   * @param {boolean} isSilent whether a stream has been silent for so long that it counts as dead
   */
  join(key, isSilent) {
    const call = this.#call;
    let latest;
    if (key !== this.#group?.key) {
      this.leave();
      const group = groups.get(key) ?? { key, calls: new Set() };
      groups.set(key, group);
      group.calls.add(call);
      this.#group = group;
      // A call that comes later learns how the task stands.
      latest = group.latest;
      if (latest) call.receive(copy(latest));
    }
    const group = this.#group;
    if (group.end && !isSilent) return SOURCE_STREAM;
    group.end?.();
    if (latest || (group.leader && group.leader !== call)) return SOURCE_POLL;
    group.leader = call;
    return SOURCE_OWN;
  }

  /** Hands the attempt of this call's own poll to the group. */
  publish(attempt, controller) {
    const group = this.#group;
    if (group?.leader !== this.#call || group.end) return;
    publish(group, attempt, this.#call);
    if (attempt.rest) this.#readStream(group, attempt.rest, controller);
    else group.leader = undefined;
  }

  /** Hands on all that a stream brings, to this call as well. */
  async #readStream(group, attempts, controller) {
    const end = () => {
      if (group.end !== end) return;
      group.end = group.leader = undefined;
      controller.abort();
      // Those that need more have to poll.
      publish(group);
    };
    group.end = end;
    try {
      for await (const attempt of attempts) {
        if (group.end !== end) return;
        publish(group, attempt);
      }
    } catch {}
    end();
  }

  /** Leaves the group. Those that wait for this call's poll or stream are told. */
  leave() {
    const group = this.#group;
    if (!group) return;
    if (group.leader === this.#call) group.end?.();
    group.calls.delete(this.#call);
    if (group.calls.size === 0) groups.delete(group.key);
    if (group.leader === this.#call) {
      group.leader = undefined;
      publish(group);
    }
    this.#group = undefined;
  }
}
