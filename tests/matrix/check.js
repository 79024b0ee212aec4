/** What a cell has to bring: the answers that its project got, and what the server saw of it. */

import assert from 'node:assert/strict';

/** How the server tells a PNG: its first bytes. */
const PNG = '89504e470d0a1a0a';

/**
 * @param {any} result what `exercise` returned
 * @param {import('../server/index.js').Server} server
 */
export async function check(result, server) {
  // Kept before the pictures are fetched, which counts, too.
  const { creates, polls, rejected, aborted, keyLeaks, requests } = server.counts;
  const posts = requests.filter(({ method }) => method === 'POST');
  assert.deepEqual(
    { creates, polls, rejected, aborted, keyLeaks, models: posts.map(({ body }) => body.model) },
    { creates: 2, polls: 3, rejected: 0, aborted: 0, keyLeaks: 0, models: ['flux-schnell', 'flux-pro'] },
  );

  const { inline, task, done } = result;
  assert.equal(inline.status, 'completed');
  assert.equal(task.status, 'pending');
  assert.equal(done.status, 'completed');
  assert.equal(done.task_id, task.task_id);
  for (const { data } of [inline, done]) {
    assert.equal(data.length, 1);
    const picture = Buffer.from(await (await fetch(data[0].url)).arrayBuffer());
    assert.equal(picture.toString('hex', 0, PNG.length / 2), PNG);
  }
}
