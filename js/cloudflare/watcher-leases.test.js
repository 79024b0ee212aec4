import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { WatcherLeases } from './watcher-leases.js';

/** The part of a Durable Object's storage that leases use. */
class Storage extends Map {
  put(name, value) {
    this.set(name, value);
  }

  list({ prefix }) {
    return [...this].filter(([name]) => name.startsWith(prefix));
  }
}

describe('leases of watchers', () => {
  let kv;
  let leases;

  beforeEach(() => {
    kv = new Storage([['another row', 1]]);
    leases = new WatcherLeases(kv);
  });

  const lease = (task, count, { max = 10, now = 0, until = 100 } = {}) =>
    leases.lease(task, count, { max, now, until });

  test('add up over all tasks of an identity', () => {
    assert.equal(lease('a', 6), 6);
    assert.equal(lease('b', 6), 4);
    assert.equal(lease('c', 1), 0);
    assert.equal(lease('a', 5), 5);
    assert.equal(lease('c', 3), 1);
  });

  test('take no socket from a task that has it already', () => {
    lease('a', 8);
    assert.equal(lease('a', 9, { max: 2 }), 8);
    assert.equal(lease('a', 7, { max: 2 }), 7);
  });

  test('run out', () => {
    lease('a', 10, { until: 100 });
    assert.equal(lease('b', 1, { now: 99 }), 0);
    assert.equal(lease('b', 1, { now: 100, until: 200 }), 1);
    assert.equal(leases.sweep(100), 200);
    assert.equal(leases.sweep(200), undefined);
    assert.deepEqual([...kv.keys()], ['another row']);
  });

  test('last longer with each report', () => {
    lease('a', 10, { until: 100 });
    lease('a', 10, { now: 50, until: 150 });
    assert.equal(lease('b', 1, { now: 149 }), 0);
  });

  test('are stored, and the row of a task without sockets is deleted', () => {
    lease('a', 2);
    lease('b', 1);
    assert.equal(new WatcherLeases(kv).lease('c', 9, { max: 10, now: 0, until: 100 }), 7);
    lease('a', 0);
    assert.equal(kv.has('watchers/a'), false);
    assert.equal(kv.has('watchers/b'), true);
  });
});
