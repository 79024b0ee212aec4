/**
 * A TCP proxy on 127.0.0.1 that breaks connections in every way in which networks do.
 *
 * It understands no more of HTTP than it needs: where a request begins, what it asks for, and where the head of
 * an answer ends. Whatever no fault is meant for passes byte by byte, the preflights of browsers among it.
 */

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/**
 * What can be done to a request or to its answer:
 *
 * - `refuse`: nothing listens for `ms` milliseconds: for creates at once, for polls from the first one on, which
 *   is reset
 * - `latency`: the request is forwarded after `ms` milliseconds
 * - `reset-before`: reset before anything was forwarded
 * - `reset-after`: forwarded, and reset when the answer comes, before any byte of it
 * - `reset-in-head`, `reset-in-body`: reset in the middle of the head, or of the body
 * - `close-before`, `close-after`, `close-in-head`, `close-in-body`: the same with an orderly end
 * - `black-hole`: never forwarded, never answered
 * - `swallow`: forwarded, and never answered
 * - `hang-in-head`, `hang-in-body`: silent from the middle of the head, or of the body
 * - `drip`: the answer comes byte by byte, one each `ms` milliseconds
 * - `garbage`: answered in another protocol
 *
 * @typedef {'refuse' | 'latency' | 'reset-before' | 'reset-after' | 'reset-in-head' | 'reset-in-body'
 *   | 'close-before' | 'close-after' | 'close-in-head' | 'close-in-body' | 'black-hole' | 'swallow'
 *   | 'hang-in-head' | 'hang-in-body' | 'drip' | 'garbage'} Mode
 */

/**
 * @typedef {object} Fault
 * @property {'create' | 'poll'} on which requests it is for
 * @property {Mode} mode
 * @property {number} [times] how many of them, default 1; later ones pass
 * @property {number} [ms] for the modes that take time
 */

/** How much of a head, and of a body, comes before a fault in its middle. */
const PART = 10;

/** Time for the part to be read: a reset also destroys what has arrived and was not read yet. */
const READ_MS = 20;

/**
 * Below the ports that systems assign by themselves: such a port of a proxy could be assigned to another server while
 * nothing listens there. Each port is used once in a long while.
 */
const PORTS = { first: 20_000, count: 12_000 };
let used = Math.floor(Math.random() * PORTS.count);
const nextPort = () => {
  used += 1;
  return PORTS.first + (used % PORTS.count);
};

/** Where a request begins. Clients of HTTP/1.1 do not pipeline, so it begins a chunk. */
const REQUEST = /^([A-Z]+) (\S+) HTTP\/1\.1\r\n/;

/**
 * Starts a proxy that passes everything until it is told otherwise.
 *
 * @param {number} target the port of the server behind it
 */
export async function startProxy(target) {
  /** @type {Required<Fault>[]} */
  let plan = [];
  const sockets = new Set();
  const timers = new Set();
  const injected = { create: 0, poll: 0 };

  const listener = createServer({ noDelay: true }, serve);
  const port = await listenAnywhere(listener);
  // While nothing listens, another process may have taken the port for a moment.
  listener.on('error', () => later(READ_MS, listen));

  function later(ms, callback) {
    const timer = setTimeout(() => {
      timers.delete(timer);
      callback();
    }, ms);
    timers.add(timer);
  }

  /** Keeps an account of a socket, whose errors are what this proxy is for. */
  function watch(socket) {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    return socket;
  }

  /** Takes the fault that is meant for a request. */
  function takeFault(line) {
    const [, method, path] = REQUEST.exec(line) ?? [];
    const kind = method === 'POST' ? 'create' : method === 'GET' && path.startsWith('/v1/') && 'poll';
    const fault = plan.find(({ on, times }) => on === kind && times > 0);
    if (!fault) return { mode: 'pass' };
    fault.times -= 1;
    injected[fault.on] += 1;
    return fault;
  }

  function listen() {
    if (!listener.listening) listener.listen(port, '127.0.0.1');
  }

  /** Stops listening, as a service that restarts does. */
  function refuse(ms) {
    for (const socket of sockets) socket.resetAndDestroy();
    if (!listener.listening) return;
    listener.close();
    if (ms < Number.POSITIVE_INFINITY) later(ms, listen);
  }

  function serve(client) {
    watch(client);
    let upstream;
    let fault = { mode: 'pass' };
    let answer = Buffer.alloc(0);
    /** Whether the answer has met its fault, after which nothing more of it is passed. */
    let over = false;

    function forward(chunk) {
      if (!upstream) {
        upstream = watch(connect({ port: target, host: '127.0.0.1', noDelay: true }));
        upstream.on('data', receive);
        upstream.on('end', () => over || client.end());
        upstream.on('close', (failed) => {
          if (over) return;
          if (failed) client.resetAndDestroy();
          else client.end();
        });
      }
      upstream.write(chunk);
    }

    /** Ends the connection in the way that the mode names. */
    function end() {
      if (fault.mode.startsWith('reset')) client.resetAndDestroy();
      if (fault.mode.startsWith('close')) client.end();
    }

    function receive(chunk) {
      if (over) return;
      const { mode, ms } = fault;
      const [, where] = /-(after|in-head|in-body)$/.exec(mode) ?? [];
      if (mode === 'drip') {
        answer = Buffer.concat([answer, chunk]);
        if (answer.length === chunk.length) drip(ms);
      } else if (where === 'after' || mode === 'swallow') {
        over = true;
        end();
      } else if (where) {
        answer = Buffer.concat([answer, chunk]);
        const body = answer.indexOf('\r\n\r\n') + 4;
        const size = where === 'in-head' ? PART : body + PART;
        if (answer.length < size || body < 4) return;
        over = true;
        client.write(answer.subarray(0, size));
        later(READ_MS, end);
      } else {
        client.write(chunk);
      }
    }

    /** By the clock, so that a busy machine does not make it slower. */
    function drip(ms, started = performance.now(), written = 0) {
      if (client.destroyed || answer.length === 0) return;
      const due = Math.max(0, 1 + Math.floor((performance.now() - started) / ms) - written);
      client.write(answer.subarray(0, due));
      written += Math.min(due, answer.length);
      answer = answer.subarray(due);
      later(ms, () => drip(ms, started, written));
    }

    client.on('data', (chunk) => {
      if (REQUEST.test(chunk.toString('latin1'))) {
        fault = takeFault(chunk.toString('latin1'));
        answer = Buffer.alloc(0);
      }
      switch (fault.mode) {
        case 'refuse':
          over = true;
          refuse(fault.ms);
          break;
        case 'latency':
          later(fault.ms, () => client.destroyed || forward(chunk));
          break;
        case 'reset-before':
        case 'close-before':
          over = true;
          end();
          break;
        case 'black-hole':
          over = true;
          break;
        case 'garbage':
          // A form is still arriving. An end at this moment would be a reset, and Chromium would send it again.
          if (!over) {
            client.write('SSH-2.0-OpenSSH_9.2p1\r\n');
            later(READ_MS, () => client.end());
          }
          over = true;
          break;
        default:
          forward(chunk);
      }
    });
    client.on('close', () => upstream?.destroy());
    client.on('end', () => upstream?.end());
  }

  return {
    url: `http://127.0.0.1:${port}`,

    /** How many requests have met a fault. */
    injected,

    /** @param {Fault[]} faults what later requests meet, in this order */
    async plan(faults) {
      plan = faults.map((fault) => ({ times: 1, ms: 0, ...fault }));
      const refused = plan.find(({ on, mode }) => on === 'create' && mode === 'refuse');
      if (refused) {
        injected.create += 1;
        refuse(refused.ms);
      } else if (!listener.listening) {
        // Not `once` of node:events, which would reject where the port is taken.
        const listening = new Promise((resolve) => listener.once('listening', resolve));
        listen();
        await listening;
      }
    },

    async close() {
      for (const timer of timers) clearTimeout(timer);
      for (const socket of sockets) socket.destroy();
      if (!listener.listening) return;
      const closed = once(listener, 'close');
      listener.close();
      await closed;
    },
  };
}

/** Listens on a free port, and returns its number. */
async function listenAnywhere(listener) {
  for (;;) {
    const port = nextPort();
    listener.listen(port, '127.0.0.1');
    try {
      await once(listener, 'listening');
      return port;
    } catch (error) {
      if (error.code !== 'EADDRINUSE') throw error;
    }
  }
}
