/** The arguments of a command: bad ones end it before anything is sent. */

import { buffer } from 'node:stream/consumers';
import { parseArgs } from 'node:util';

/** Says what was entered, what is expected, and what to do. */
export class UsageError extends Error {}

/**
 * A prompt or a task of `-` comes from standard input.
 *
 * @param {string} name
 * @param {import('./run.js').Command} command
 * @param {string[]} args
 */
export async function readArguments(name, { options, positional }, args) {
  const help = `"npx lemondata-wasm ${name} --help" has its options.`;
  let parsed;
  try {
    parsed = parseArgs({ args, options, allowPositionals: true, tokens: true });
  } catch (error) {
    if (!`${error.code}`.startsWith('ERR_PARSE_ARGS')) throw error;
    // The rest of Node's message is advice for another case.
    const [problem] = error.message.split(/\. (?:To|Did)|\n/);
    // No option holds white space: that is a prompt.
    const isPrompt = positional === 'prompt' && args.some((arg) => /^-[^=]*\s/.test(arg));
    const dash = isPrompt ? ' Put -- in front of a prompt that begins with a dash.' : '';
    throw new UsageError(`${problem}.${dash} ${help}`);
  }
  const { values, positionals, tokens } = parsed;
  for (const { kind, rawName, inlineValue, value } of /** @type {any[]} */ (tokens)) {
    if (kind === 'option' && inlineValue && /^-\w$/.test(rawName) && value.startsWith('=')) {
      throw new UsageError(`${rawName}${value} has a = too many: ${rawName} ${value.slice(1)}. ${help}`);
    }
  }
  const most = positional ? 1 : 0;
  if (positionals.length > most) {
    const quotes = positional === 'prompt' ? ' Put quotes around a prompt of several words.' : '';
    throw new UsageError(`'${positionals[most]}' is one argument too many for ${name}.${quotes} ${help}`);
  }
  if (positional && !positionals[0]?.trim()) {
    throw new UsageError(
      `${name} needs a ${positional}: npx lemondata-wasm ${name} <${positional}>. ${help}`,
    );
  }
  if (positionals[0] !== '-') return { values, positional: positionals[0] };
  const input = textOf(await buffer(process.stdin)).trim();
  if (!input) throw new UsageError(`Standard input is empty: it should hold the ${positional}.`);
  return { values, positional: input };
}

/** Windows writes files in other encodings, and a prompt of other letters would be billed as well. @param {Buffer} bytes */
function textOf(bytes) {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (!text.includes('\0')) return text;
  } catch {}
  throw new UsageError('Standard input is no text in UTF-8.');
}

/**
 * The number of an option; undefined where it is missing.
 *
 * @param {Record<string, any>} values
 * @param {string} name
 * @param {number} min
 * @param {number} max
 */
export function numberOf(values, name, min, max) {
  const text = values[name];
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < min || number > max) {
    throw new UsageError(`--${name} must be a whole number from ${min} to ${max}, not '${text}'.`);
  }
  return number;
}

/**
 * The fields of `--set name=value`. A value that is JSON counts as that, any other as a text, and so does a number that
 * would come out as another one.
 *
 * @param {string[]} [assignments]
 */
export function fieldsOf(assignments = []) {
  return Object.fromEntries(
    assignments.map((assignment) => {
      const [, name, text] = /^([\w.-]+)=(.*)$/s.exec(assignment) ?? [];
      if (name === undefined) {
        throw new UsageError(
          `--set must be name=value, such as --set aspect_ratio=16:9, not '${assignment}'.`,
        );
      }
      try {
        const value = JSON.parse(text);
        return [name, Number.isInteger(value) && !Number.isSafeInteger(value) ? text : value];
      } catch {
        return [name, text];
      }
    }),
  );
}
