/**
 * One task, one poll loop: the calls of one client that would send the same poll send it once. Each of them
 * keeps its own signal, deadline, budget and callbacks, and takes what the one is answered as its own.
 *
 * Edge workers do without this file: there, one request must not wait for another's promise.
 */

/** The calls that poll, by URL. */
const rooms = new Map();

/** An attempt for one more call: what that one does to the answer, the others must not see. */
const copy = (about) => ({
  ...about,
  body: about.body?.constructor === Object ? { ...about.body } : about.body,
});

/**
 * @param {unknown[]} wants what makes the request of this call what it is, beside the URL
 * @param {(about: object) => void} told hears of an attempt that another call has made
 * @param {() => void} wake ends the sleep of this call
 */
export function takeSeat(wants, told, wake) {
  let url;
  let leads = false;
  /** Ends the stream that this call reads for all. */
  let stop;
  /** Whether this call waits for the poll of another. */
  let follows = false;
  let last;
  let news;

  const seat = {
    wants,

    leads: () => leads || stop,

    last: () => last,

    /** Whether another call asks at this moment, or has asked, so that this one need not. */
    join(at) {
      const others = peers(at);
      const isNew = at !== url;
      if (isNew) {
        seat.leave();
        url = at;
        if (!rooms.has(at)) rooms.set(at, new Set());
        rooms.get(at).add(seat);
      }
      follows = Boolean(stop) || others.some((other) => other.leads());
      const known = isNew && others.find((other) => other.last());
      if (known) {
        follows = true;
        const about = known.last();
        queueMicrotask(() => follows && seat.hear(about));
      }
      leads = !follows;
      return follows;
    },

    /** Ends a poll of this call's own. Without an attempt, it gave up, and whoever waited has to ask. */
    finish(about, controller) {
      if (!leads) return;
      leads = false;
      last = about && copy(about);
      for (const other of peers(url)) other.hear(last);
      if (about?.rest) read(about.rest, controller);
    },

    /** Takes an attempt for one of this call's own. */
    hear(about) {
      if (about) {
        last = about;
        news = copy(about);
        told(news);
      } else if (!follows) return;
      follows = false;
      wake();
    },

    /** What has been heard since the last time. */
    news() {
      const heard = news;
      news = undefined;
      return heard;
    },

    leave() {
      seat.finish();
      follows = false;
      stop?.();
      const room = rooms.get(url);
      room?.delete(seat);
      if (room?.size === 0) rooms.delete(url);
    },
  };

  /** Takes all that a stream brings for answers to polls, of this call and of the others. */
  async function read(attempts, controller) {
    // This call comes last: it may leave with what it hears.
    const all = () => [...peers(url), seat];
    stop = () => {
      stop = undefined;
      controller.abort();
      for (const one of all()) one.hear();
    };
    const end = stop;
    try {
      for await (const about of attempts) for (const one of all()) one.hear(about);
    } catch {}
    // Whoever needs more has to ask.
    if (stop === end) stop();
  }

  const peers = (at) =>
    [...(rooms.get(at) ?? [])].filter(
      (other) => other !== seat && other.wants.every((want, index) => want === wants[index]),
    );

  return seat;
}
