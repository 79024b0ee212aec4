/** The settings of a `TaskHub`. */

import { REASONS_ABOUT_REQUESTS } from '../relay/console-log.js';
import {
  callback,
  count,
  DAY_MS,
  flag,
  isApiKey,
  LONGEST_TIMER_MS,
  MINUTE_MS,
  methods,
  milliseconds,
  readSettings,
  required,
  serviceAddress,
  setting,
} from '../relay/settings.js';
import { cappedFetch } from '../relay/upstream.js';

const MIB = 1024 * 1024;

/** Writes to the console, without reasons that may quote a prompt. Clients get those. */
export function defaultLog({ message, ...event }) {
  const isPrivate = event.outcome !== 'not_sent' && REASONS_ABOUT_REQUESTS.includes(event.kind);
  const write = event.event === 'billed' ? console.log : console.error;
  write(isPrivate || message === undefined ? event : { ...event, message });
}

const RULES = {
  apiKey: required(
    setting(
      undefined,
      isApiKey,
      "the service's key, a string without quotes and white space, or a function that returns it",
    ),
    'Store it as a secret of the worker: wrangler secret put LEMONDATA_API_KEY.',
    { isSecret: true },
  ),
  baseUrl: serviceAddress,
  fetch: callback(undefined, 'a function such as fetch'),
  tasks: required(
    methods(['idFromName', 'get'], 'the binding of TaskHub itself'),
    'It counts the watchers of each identity. If your binding is not called TASKS, return it from settings().',
  ),
  limiter: methods(['idFromName', 'get'], 'the binding of RequestLimiter'),
  pictures: methods(['put', 'head', 'list', 'delete'], 'the binding of an R2 bucket'),
  pollInterval: {
    read: (value) =>
      readSettings(
        'TaskHub: pollInterval',
        { min: milliseconds(undefined), max: milliseconds(undefined) },
        value,
      ),
    expected: 'an object with min and max',
  },
  requestTimeout: milliseconds(undefined, { max: LONGEST_TIMER_MS }),
  maxRetries: count(undefined, { min: 0, max: 100 }),
  shortCreates: flag(false),
  // A task has time even if no client watches it, but it has to end.
  maxWait: milliseconds(15 * MINUTE_MS),
  retention: milliseconds(DAY_MS),
  maxAnswerBytes: count(40 * MIB),
  maxPictureBytes: count(25 * MIB),
  maxWatchers: count(1000),
  maxWatchersPerIdentity: count(1000),
  log: callback(defaultLog),
};

/**
 * Checks the settings. The core reads the result as the options of its calls.
 *
 * @param {object} settings
 * @throws {TypeError} if one is wrong
 */
export function readTaskSettings(settings) {
  const options = readSettings('TaskHub', RULES, settings);
  return { ...options, fetch: cappedFetch(options.fetch, options.maxAnswerBytes) };
}
