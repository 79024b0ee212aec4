/** The page about troubleshooting lists the messages of the code: all of them, and no other. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../../scripts/lib/run.js';
import { messages, plain } from './messages.js';

const page = readFileSync(join(root, 'docs', 'troubleshooting.md'), 'utf8');
const all = messages();

test('every message is on the page', () => {
  const text = plain(page);
  const missing = all.filter(({ text: message, isRequired }) => isRequired && !text.includes(message));
  assert.deepEqual(
    missing.map(({ file, text: message }) => `${file}: ${message}`),
    [],
  );
  assert.ok(all.filter(({ isRequired }) => isRequired).length > 100, 'the messages were found in the code');
});

test('the page has no message that the code has not', () => {
  const texts = [...new Set(all.map(({ text }) => text))].sort((a, b) => b.length - a.length);
  const rows = page.split('\n').filter((line) => line.startsWith('| '));
  const shown = rows.flatMap((row) => {
    const [, first, second] = row.split(/(?<!\\)\|/);
    // A table about codes has its messages in the second column.
    const cell = /^ `[a-z_]+` $/.test(first) ? second : first;
    return [...cell.matchAll(/`([^`]+)`/g)].map(([, message]) => plain(message));
  });
  const stale = shown.filter((message) => {
    const rest = texts.reduce((left, text) => left.replaceAll(text, '…'), message);
    return /[A-Za-z']{2,} [a-z']{2,}/.test(rest);
  });
  assert.deepEqual(stale, []);
  assert.ok(shown.length > 80, 'the messages were found on the page');
});
