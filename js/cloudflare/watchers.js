/** The sockets that watch a task. They hibernate: the object may be gone while they stay open. */

import { currentView, isOver, messageOf, stateOf } from './task-view.js';

/** The longest message. Clients ask for a longer view. */
const MAX_MESSAGE_LENGTH = 32_768;

export class Watchers {
  #ctx;
  #store;
  #queue;
  /** The state that the sockets know. */
  #lastState;

  /**
   * @param {DurableObjectState} ctx
   * @param {import('./task-store.js').TaskStore} store
   * @param {() => object | undefined} queue the place of a create that waits for its admission
   */
  constructor(ctx, store, queue) {
    this.#ctx = ctx;
    this.#store = store;
    this.#queue = queue;
    // The runtime answers these: a watcher learns that its socket is alive, and the object sleeps on.
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'));
  }

  /**
   * Opens a socket that reports the state of the task, now and after each change. Without a socket, the client has to
   * ask: if the task is over, if it has too many sockets, or if its view is too long.
   *
   * @param {{ reference: string, base: string }} names how the client names the task
   * @param {number} maxWatchers
   * @returns {WebSocket | undefined} the client's end
   */
  open(names, maxWatchers) {
    if (!this.#store.job || isOver(this.#store) || this.#sockets.length >= maxWatchers) return undefined;
    const view = currentView(this.#store, this.#queue());
    const message = shortMessage(view, names);
    if (!message) return undefined;
    const { 0: client, 1: server } = new WebSocketPair();
    try {
      // Before all else: a socket without its names must not be among those that are reported to.
      server.serializeAttachment(names);
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
    const sockets = this.#ctx.getWebSockets();
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
        const names = socket.deserializeAttachment();
        const key = JSON.stringify([names.reference, names.base]);
        if (!messages.has(key)) messages.set(key, shortMessage(view, names));
        const message = messages.get(key);
        if (message) socket.send(message);
      } catch {}
      if (isLast) close(socket, 1000);
    }
  }

  get #sockets() {
    return this.#ctx.getWebSockets().filter(({ readyState }) => readyState === WebSocket.OPEN);
  }
}

function shortMessage(view, names) {
  const text = messageOf(view, names);
  return text !== undefined && text.length <= MAX_MESSAGE_LENGTH ? text : undefined;
}

function close(socket, code) {
  try {
    socket.close(code);
  } catch {
    // It is closed already.
  }
}
