import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { TaskAlarm } from './task-alarm.js';

const DAY_MS = 86_400_000;

describe('work is guarded against a crash', () => {
  let times;
  let alarm;

  beforeEach(() => {
    mock.timers.enable({ apis: ['Date'] });
    times = [];
    alarm = new TaskAlarm({ setAlarm: async (time) => times.push(time), deleteAlarm: async () => {} });
  });

  afterEach(() => mock.timers.reset());

  test('also that of a task which was suspended, and whose alarm is that of its retention', async () => {
    await alarm.set(DAY_MS);
    await alarm.guard();
    assert.deepEqual(times, [DAY_MS, 5000]);
  });

  test('by one write, since each is billed', async () => {
    await alarm.guard();
    await alarm.guard();
    assert.deepEqual(times, [5000]);
  });

  test('by the alarm of its next poll, if that comes soon', async () => {
    await alarm.set(4000);
    await alarm.guard();
    assert.deepEqual(times, [4000]);
  });

  test('by the runtime within an alarm', async () => {
    await alarm.ring(
      () => alarm.guard(),
      () => {},
    );
    assert.deepEqual(times, []);
  });
});
