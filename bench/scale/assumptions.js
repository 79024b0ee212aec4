/**
 * What the simulation assumes and what Cloudflare charges: change it here, and run `npm run scale`.
 *
 * Each line is a value, and what it is.
 */

/** The world: what the provider and its users do. */
export const WORLD = {
  worksS: [[30, 120], 'seconds that the provider works on a task, evenly spread'],
  createMs: [[300, 1200], 'milliseconds until a create is answered'],
  pollMs: [[50, 250], 'milliseconds until a poll is answered'],
  copyMs: [[200, 800], 'milliseconds to copy a picture to R2'],
  alarmLateMs: [[5, 50], 'milliseconds that an alarm comes late'],
  users: [100_000, 'users, of whom the first hundredth asks for a tenth of the tasks'],
  crashPart: [0.0005, 'part of the requests during which the process of the object ends'],
  lostPart: [0.002, 'part of the polls without an answer'],
  overloadPart: [0.002, 'part of the creates refused as overload (503, retryable)'],
};

/** How hub and limiter are set. */
export const HUB = {
  usedPart: [0.98, 'part of the provider’s limit that the limiter uses: requests bunch on their way'],
  pollIntervalMs: [[3000, 5000], 'milliseconds between two polls of a task'],
  maxWaitMs: [300_000, 'milliseconds that a create waits for its admission, and a task for its result'],
  retentionMinutes: [60, 'minutes that a result is kept in the object'],
  copiesPictures: [true, 'whether pictures are copied to R2'],
};

/** What the shell around the core does. */
export const SHELL = {
  stateWritesPerCreate: [3, 'rows: queued, sending, and the answer'],
  stateWritesPerPoll: [1, 'rows: before the poll; a task that still runs is not written again'],
  stateWritesPerEnd: [2, 'rows: the state and the result'],
  stateWritesPerCopy: [2, 'rows: before and after the copy'],
  rowsDeleted: [3, 'rows: deletes are billed as writes'],
  rowsReadPerAlarm: [1, 'rows: the state, where the object was not in memory'],
  objectMs: [3, 'milliseconds of an object for a request or an alarm, beside the waits for others'],
  limiterMs: [1, 'milliseconds of the limiter for a question'],
  workerCpuMs: [2, 'CPU milliseconds of the worker for a request'],
  watchers: [1, 'watchers of a task, each with one connection through the worker'],
  picturesRead: [1, 'reads of each picture from R2'],
};

/** Looked up on 21 November 2026 on the pages that are named; in US dollars, beyond what a plan includes. */
export const PRICES = {
  pages: {
    'Workers: pricing': 'https://developers.cloudflare.com/workers/platform/pricing/',
    'Durable Objects: pricing': 'https://developers.cloudflare.com/durable-objects/platform/pricing/',
    'Durable Objects: limits': 'https://developers.cloudflare.com/durable-objects/platform/limits/',
    'Durable Objects: lifecycle':
      'https://developers.cloudflare.com/durable-objects/concepts/durable-object-lifecycle/',
    'R2: pricing': 'https://developers.cloudflare.com/r2/pricing/',
  },
  lookedUp: '21 November 2026',
  plan: 5,
  /** Each: dollars a million, what a month of the paid plan includes, what a day of the free plan allows. */
  units: {
    workerRequests: { name: 'requests to the worker', price: 0.3, month: 10e6, day: 100_000 },
    workerCpuMs: { name: 'CPU ms of the worker', price: 0.02, month: 30e6, day: undefined },
    objectRequests: { name: 'requests to objects and alarms', price: 0.15, month: 1e6, day: 100_000 },
    gbSeconds: { name: 'GB-s of objects', price: 12.5, month: 400_000, day: 13_000 },
    rowsWritten: { name: 'rows written, alarms set', price: 1, month: 50e6, day: 100_000 },
    rowsRead: { name: 'rows read', price: 0.001, month: 25e9, day: 5e6 },
    r2Writes: { name: 'R2 writes (class A)', price: 4.5, month: 1e6, day: 1e6 / 30 },
    r2Reads: { name: 'R2 reads (class B)', price: 0.36, month: 10e6, day: 10e6 / 30 },
  },
  /** The memory that every object is billed for while it is active. */
  gbPerObject: 0.128,
  /** About how many requests a second an object serves. */
  objectRequestsPerSecond: 1000,
};

/** The values alone. */
export const values = (table) =>
  Object.fromEntries(Object.entries(table).map(([name, [value]]) => [name, value]));
