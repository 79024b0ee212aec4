/**
 * One task, one poll loop: calls of one client that would send the same poll send it once. Each call keeps its own
 * signal, deadline, budget and callbacks, and counts the shared attempt as a poll of its own.
 *
 * A subscriber is a call's place among the others. All of them that poll one URL with the same credentials form a
 * group. One of them leads: its poll is under way, or it reads a stream for all. The others follow.
 *
 * Edge workers do without this file: there, one request must not wait for another's promise.
 */

import { SOURCE_OWN, SOURCE_POLL, SOURCE_STREAM } from './abi.gen.js';

/** The subscribers, by URL and credentials. */
const groups = new Map();

/** An attempt for one more call: what that one does to the answer, the others must not see. */
const copy = (attempt) => ({
  ...attempt,
  body: attempt.body?.constructor === Object ? { ...attempt.body } : attempt.body,
});

export class Subscriber {
  #call;
  #key;
  #isPolling = false;
  /** Ends the stream that this call reads for all. */
  #endStream;
  /** The attempt that the group has seen last. */
  #latest;

  /**
   * @param {{ readonly identity: unknown[], receive(attempt?: object): void }} call `identity` is what else makes a poll
   *   the same, beside the key of its group; `receive` takes an attempt of another call, or nothing where the leader has
   *   gone
   */
  constructor(call) {
    this.#call = call;
  }

  /** The others of the group. */
  #peers() {
    const { identity } = this.#call;
    const isSame = (peer) => peer.#call.identity.every((part, index) => part === identity[index]);
    return (groups.get(this.#key) ?? []).filter((peer) => peer !== this && isSame(peer));
  }

  /**
   * Joins the group of a poll. Returns where its answer comes from. `SOURCE_OWN` makes this call the leader, which has to
   * publish.
   *
   * @param {string} key
   * @param {boolean} isSilent whether a stream has been silent for so long that it counts as dead
   */
  join(key, isSilent) {
    const isNew = key !== this.#key;
    if (isNew) {
      this.leave();
      this.#key = key;
      groups.set(key, [...(groups.get(key) ?? []), this]);
    }
    const peers = this.#peers();
    // A call that comes later learns how the task stands.
    const informed = isNew && peers.find((peer) => peer.#latest);
    if (informed) this.#take(informed.#latest);
    const reader = [this, ...peers].find((each) => each.#endStream);
    if (reader && !isSilent) return SOURCE_STREAM;
    if (reader) reader.#endStream();
    if (informed || peers.some((peer) => peer.#isPolling)) return SOURCE_POLL;
    this.#isPolling = true;
    return SOURCE_OWN;
  }

  #take(attempt) {
    this.#latest = attempt;
    this.#call.receive(copy(attempt));
  }

  /** Hands the attempt of this call's own poll to the group. */
  publish(attempt, controller) {
    if (!this.#isPolling) return;
    this.#isPolling = false;
    this.#latest = copy(attempt);
    for (const peer of this.#peers()) peer.#take(this.#latest);
    if (attempt.rest) this.#readStream(attempt.rest, controller);
  }

  /** Hands on all that a stream brings, to this call as well. */
  async #readStream(attempts, controller) {
    const group = () => [...this.#peers(), this];
    const end = () => {
      if (this.#endStream !== end) return;
      this.#endStream = undefined;
      controller.abort();
      // Those that need more have to poll.
      for (const each of group()) each.#call.receive();
    };
    this.#endStream = end;
    try {
      for await (const attempt of attempts) {
        if (this.#endStream !== end) return;
        for (const each of group()) each.#take(attempt);
      }
    } catch {}
    end();
  }

  /** Leaves the group. Those that wait for this call's poll or stream are told. */
  leave() {
    const peers = this.#peers();
    const others = groups.get(this.#key)?.filter((each) => each !== this);
    if (others?.length > 0) groups.set(this.#key, others);
    else groups.delete(this.#key);
    const wasPolling = this.#isPolling;
    this.#isPolling = false;
    this.#latest = undefined;
    if (this.#endStream) this.#endStream();
    if (wasPolling) for (const peer of peers) peer.#call.receive();
    this.#key = undefined;
  }
}
