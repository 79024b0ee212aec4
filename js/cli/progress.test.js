/** What a terminal and a pipe show of a wait. */

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Progress } from './progress.js';

const streamOf = (isTTY) => {
  const written = [];
  return { isTTY, written, write: (text) => written.push(text) };
};

test('a pipe gets a line for each change', () => {
  const stream = streamOf(false);
  const progress = new Progress(stream);
  for (const state of ['sent', 'pending', 'pending', 'processing 33 %']) progress.show(state);
  progress.end();
  assert.deepEqual(stream.written, ['sent\n', 'pending\n', 'processing 33 %\n']);
});

test('a terminal keeps one line, which counts the seconds and goes at the end', () => {
  let now = 5000;
  mock.method(performance, 'now', () => now);
  mock.timers.enable({ apis: ['setInterval'] });
  try {
    const stream = streamOf(true);
    const progress = new Progress(stream);
    progress.show('sent');
    now += 1000;
    mock.timers.tick(1000);
    progress.end();
    mock.timers.tick(5000);
    const clear = '\r\x1b[2K';
    assert.deepEqual(stream.written, [`${clear}0 s  sent`, `${clear}1 s  sent`, clear]);
  } finally {
    mock.timers.reset();
    mock.restoreAll();
  }
});
