/** How a command ends: its exit code, and what it says of an error. */

import * as util from 'node:util';
import { LemonDataError } from 'lemondata-wasm';
import { UsageError } from './arguments.js';
import { quote } from './shell.js';

const FAULT = 1;
const USAGE = 2;
const NOT_SAVED = 8;
/** What a shell reports of a process that Ctrl-C has ended. */
const INTERRUPTED = 130;

/** A task exists, and `wait` gets it. */
export const GOES_ON = 6;
/** What is known of the create decides: a script must not repeat one that may have been billed. */
const OUTCOMES = { not_sent: 3, rejected: 4, failed: 5, accepted: GOES_ON, unknown: 7 };

/** Ctrl-C. */
export class Interruption extends Error {}

/** A picture has been paid for, and not been saved. */
export class SaveError extends Error {}

/** @param {unknown} error */
export function exitCodeOf(error) {
  if (error instanceof UsageError) return USAGE;
  if (error instanceof Interruption) return INTERRUPTED;
  if (error instanceof SaveError) return NOT_SAVED;
  if (!(error instanceof LemonDataError) || error.kind === 'internal') return FAULT;
  if (error.kind === 'invalid_request' && error.outcome === 'not_sent') return USAGE;
  // Nothing is left to wait for, although the create was accepted.
  return error.kind === 'task_not_found' ? OUTCOMES.failed : OUTCOMES[error.outcome];
}

/**
 * The command that goes on with a task.
 *
 * @param {import('lemondata-wasm').Task} task
 * @param {string} [output]
 */
export function resumeCommand({ task_id }, output) {
  return `npx lemondata-wasm wait ${quote(task_id)}${output ? ` -o ${quote(output)}` : ''}`;
}

/** Red where a person reads it. Node 20 before 20.12 has no colours. @param {string} text */
const red = (text) =>
  process.stderr.isTTY && !process.env.NO_COLOR && util.styleText ? util.styleText('red', text) : text;

/** Whether an error says all in its sentence. Anything else is a bug, whose place counts. @param {any} error */
const isKnown = (error) =>
  [LemonDataError, UsageError, SaveError].some((known) => error instanceof known) ||
  error?.code !== undefined;

/** An error that is its own cause must not hold us up. */
const MAX_DEPTH = 9;

/** Why there was no connection, in the system's own words. @param {any} error */
function systemReason({ kind, cause }) {
  if (kind !== 'connection') return '';
  for (let depth = 0; cause?.cause && depth < MAX_DEPTH; depth += 1) cause = cause.cause;
  const { message, code } = cause ?? {};
  return message && code && !message.includes(code) ? `${message} (${code})` : (message ?? code);
}

/**
 * @param {any} error
 * @param {boolean} isJson
 */
export function report(error, isJson) {
  if (isJson) {
    const fields =
      error instanceof LemonDataError ? error.toJSON() : { kind: 'command', message: error.message };
    console.log(JSON.stringify({ error: { ...fields, resume: error.resume } }));
    return;
  }
  if (error instanceof Interruption) console.error(error.message);
  else console.error(red('error:'), isKnown(error) ? error.message : error);
  const reason = systemReason(error);
  if (reason) console.error(reason);
  if (error.hint && !error.message.includes(error.hint)) console.error(error.hint);
  if (error.outcome === 'unknown' && !/billed/.test(error.message)) {
    console.error('It may have been carried out and billed.');
  }
  if (error.resume) console.error(`The task goes on. To get it: ${error.resume}`);
}
