/** What the output of a test tool says: how many tests passed, and which ones failed. */

/**
 * @typedef {object} Failure
 * @property {string} name
 * @property {string} [file] of the test
 * @property {string} [error] its first lines
 *
 * @typedef {object} Results
 * @property {number} passed
 * @property {number} failed
 * @property {Failure[]} failures as far as the tool names them
 */

const CARGO_RESULT = /^test result: \w+\. (\d+) passed; (\d+) failed/gm;
const CARGO_FAILURE = /^test (.+) \.\.\. (?:FAILED|FAIL)$/gm;
const MATRIX_RESULT = /^(\d+) passed, (\d+) failed$/m;
const MATRIX_FAILURES = /^failed: (.+)$/m;
const NODE_RESULT = /^# (?:pass|fail|cancelled|skipped) (\d+)$/gm;
const NODE_FAILURE = /^ *not ok \d+ - (.+)\n +---\n([\s\S]*?)^ +\.\.\.$/gm;
const ERROR_LINES = 12;
const LAST_LINES = 30;

/** @param {string} output */
export function lastLines(output) {
  return output.trimEnd().split('\n').slice(-LAST_LINES).join('\n');
}

/**
 * A tool that has no tests of its own counts as one.
 *
 * @param {string} _output
 * @param {boolean} passed
 * @returns {Results}
 */
export function one(_output, passed) {
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, failures: [] };
}

/**
 * @param {string} output
 * @returns {Results}
 */
export function cargoTests(output) {
  const results = [...output.matchAll(CARGO_RESULT)];
  /** @param {number} group */
  const sum = (group) => results.reduce((total, result) => total + Number(result[group]), 0);
  const failures = [...output.matchAll(CARGO_FAILURE)].map(([, name]) => ({ name }));
  return { passed: sum(1), failed: sum(2), failures };
}

/**
 * A skipped test has not passed.
 *
 * @param {string} output
 * @returns {Results}
 */
export function nodeTests(output) {
  const [passed = 0, ...others] = [...output.matchAll(NODE_RESULT)].map((result) => Number(result[1]));
  const failures = [...output.matchAll(NODE_FAILURE)].flatMap(([, name, details]) =>
    nodeFailure(name, details),
  );
  return { passed, failed: others.reduce((total, number) => total + number, 0), failures };
}

/**
 * A group fails with its tests, which say why.
 *
 * @param {string} name
 * @param {string} details
 */
function nodeFailure(name, details) {
  if (details.includes("failureType: 'subtestsFailed'")) return [];
  const file = details.match(/location: '(.+?):\d+:\d+'/)?.[1];
  // Its text stands on the same line, or below it up to the next field.
  const text = details.match(/^ +error: (?:\|-\n)?([\s\S]*?)(?=^ +\w+: )/m)?.[1] ?? '';
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  return [{ name, file, error: lines.slice(0, ERROR_LINES).join('\n') }];
}

/**
 * @param {string} output
 * @returns {Results}
 */
export function matrixCells(output) {
  const [, passed, failed] = output.match(MATRIX_RESULT) ?? [];
  const names = output.match(MATRIX_FAILURES)?.[1].split(', ') ?? [];
  return {
    passed: Number(passed ?? 0),
    failed: Number(failed ?? 0),
    failures: names.map((name) => ({ name })),
  };
}
