/** The sockets that watch a task. They hibernate: the object may be gone while they stay open. */

import { currentView, isOver, messageOf, stateOf } from './task-view.js';

/** The longest message. Clients ask for a longer view. */
const MAX_MESSAGE_LENGTH = 32_768;
/**
 * The length of all messages of a socket together. The runtime holds everything that a client does not read, and keeps
 * it when the socket is closed. It does not tell how much that is, so the hub bounds what it writes.
 */
const MAX_SOCKET_LENGTH = 2 * MAX_MESSAGE_LENGTH;

export class Watchers {
  #ctx;
  #store;
  #queue;
  #lease;
  /** Sockets that wait for a lease. Each entry opens one, or not. */
  #opening = [];
  #openingCount = 0;
  #leasing;
  /** The state that the sockets know. */
  #lastState;

  /**
   * @param {DurableObjectState} ctx
   * @param {object} parts
   * @param {import('./task-store.js').TaskStore} parts.store
   * @param {() => object | undefined} parts.queue the place of a create that waits for its admission
   * @param {(count: number) => Promise<number>} parts.lease leases `count` sockets, or as many as the identity
   *   may have; it never rejects
   */
  constructor(ctx, { store, queue, lease }) {
    this.#ctx = ctx;
    this.#store = store;
    this.#queue = queue;
    this.#lease = lease;
    // The runtime answers these: a watcher learns that its socket is alive, and the object sleeps on.
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'));
  }

  /**
   * Opens a socket that reports the state of the task, now and after each change. Without a socket, the client has to
   * ask: if the task is over, if there are too many sockets, or if its view is too long.
   *
   * @param {import('../relay/index.js').HubNames} names how the client names the task
   * @param {number} maxWatchers
   * @returns {Promise<WebSocket | undefined>} the client's end
   */
  async open(names, maxWatchers) {
    if (!this.#isWatchable || this.#count + this.#openingCount >= maxWatchers) return undefined;
    this.#openingCount += 1;
    return new Promise((resolve, reject) => {
      this.#opening.push((isLeased) => {
        this.#openingCount -= 1;
        try {
          resolve(isLeased && this.#isWatchable ? this.#accept(names) : undefined);
        } catch (error) {
          reject(error);
        }
      });
      this.updateLease();
    });
  }

  #accept(names) {
    const view = currentView(this.#store, this.#queue());
    const message = shortMessage(view, names);
    if (!message) return undefined;
    const { 0: client, 1: server } = new WebSocketPair();
    try {
      // Before all else: a socket without its names must not be among those that are reported to.
      server.serializeAttachment({ ...names, length: message.length });
    } catch {
      return undefined;
    }
    this.#ctx.acceptWebSocket(server);
    server.send(message);
    this.#lastState ??= stateOf(view);
    return client;
  }

  /** Reports the state to all sockets if it has changed, and closes them once the task is over. */
  report() {
    const sockets = this.#ctx.getWebSockets().filter(({ readyState }) => readyState === WebSocket.OPEN);
    if (sockets.length === 0) return;
    const isLast = isOver(this.#store);
    const view = currentView(this.#store, this.#queue());
    const state = stateOf(view);
    if (!isLast && state === this.#lastState) return;
    this.#lastState = state;
    /** By names: sockets with the same names get the same text. */
    const messages = new Map();
    for (const socket of sockets) {
      // An error of one socket does not keep the report from the others.
      try {
        const { length: before = 0, ...names } = socket.deserializeAttachment();
        const key = JSON.stringify(names);
        if (!messages.has(key)) messages.set(key, shortMessage(view, names));
        const message = messages.get(key) ?? '';
        const length = before + message.length;
        const isSent = message !== '' && length <= MAX_SOCKET_LENGTH;
        if (isSent) {
          socket.serializeAttachment({ ...names, length });
          socket.send(message);
        }
        // Its client asks, or opens another socket.
        if (isLast || !isSent) socket.close(1000);
      } catch {}
    }
  }

  /** Leases as many sockets as there are. Calls that come meanwhile share the next lease. */
  updateLease() {
    this.#leasing ??= this.#leaseAll();
    return this.#leasing;
  }

  async #leaseAll() {
    let leased;
    do {
      const opening = this.#opening.splice(0);
      const count = this.#count;
      leased = await this.#lease(count + opening.length);
      for (const [index, open] of opening.entries()) open(count + index < leased);
      // Some have come or gone meanwhile.
    } while (this.#opening.length > 0 || this.#count < leased);
    // In the same turn: a later call must not count on this lease.
    this.#leasing = undefined;
  }

  get #isWatchable() {
    return Boolean(this.#store.job) && !isOver(this.#store);
  }

  /** How many sockets the runtime holds: also those that are closed and whose client does not answer. */
  get #count() {
    return this.#ctx.getWebSockets().filter(({ readyState }) => readyState !== WebSocket.CLOSED).length;
  }
}

function shortMessage(view, names) {
  const text = messageOf(view, names);
  return text !== undefined && text.length <= MAX_MESSAGE_LENGTH ? text : undefined;
}
