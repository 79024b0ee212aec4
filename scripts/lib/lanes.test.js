import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inLanes } from './lanes.js';

/** Work that ends when the test says so. */
function startWork(lanes, items) {
  const running = new Map();
  const begun = [];
  const done = inLanes(lanes, items, (item) => {
    begun.push(item);
    return new Promise((resolve) => running.set(item, resolve));
  });
  return {
    begun,
    done,
    async end(item) {
      running.get(item)();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test('a lane takes the next item when it is free, and no other lane takes it', async () => {
  const { begun, end, done } = startWork(2, ['long', 'a', 'b', 'c']);
  assert.deepEqual(begun, ['long', 'a']);
  await end('a');
  assert.deepEqual(begun, ['long', 'a', 'b']);
  await end('b');
  await end('long');
  assert.deepEqual(begun, ['long', 'a', 'b', 'c']);
  await end('c');
  await done;
});

test('all is over when the last item is', async () => {
  const { end, done } = startWork(2, ['a', 'b']);
  let isOver = false;
  done.then(() => {
    isOver = true;
  });
  await end('a');
  assert.equal(isOver, false);
  await end('b');
  assert.equal(isOver, true);
});

test('lanes without an item are over', async () => {
  await startWork(2, []).done;
});
