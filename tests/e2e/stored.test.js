/** What a store gives back: a field without a value is there, as `null` or `undefined`. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getTask, toBlob, waitForTask } from 'lemondata-wasm';
import { answer } from '../helpers/fake-time.js';

for (const empty of [null, undefined]) {
  test(`a stored task may hold ${empty} in place of its poll_url`, async () => {
    for (const task of [
      { task_id: 'img_1', poll_url: empty, status: 'pending', created: empty },
      { id: 'img_1', task_id: empty, poll_url: empty },
    ]) {
      const paths = [];
      const options = {
        apiKey: 'sk-1',
        async fetch(url) {
          paths.push(new URL(url).pathname);
          return answer({ task_id: 'img_1', status: 'completed', data: [{ url: 'https://x.test/1' }] });
        },
      };
      assert.equal((await waitForTask(task, options)).status, 'completed');
      assert.equal((await getTask(task, options)).status, 'completed');
      assert.deepEqual(paths, Array(2).fill('/v1/images/generations/img_1'));
    }
  });

  test(`a stored generation may hold ${empty} in place of its task_id`, async () => {
    const data = [{ url: empty, b64_json: 'aGk=', revised_prompt: empty }];
    const row = { status: 'completed', task_id: empty, poll_url: empty, data };
    assert.equal((await waitForTask(row)).data, data);
  });

  test(`a stored image may hold ${empty} in place of its url or its b64_json`, async () => {
    assert.equal(await (await toBlob({ url: empty, b64_json: 'aGk=' })).text(), 'hi');
    const fetch = async () => new Response('hi', { headers: { 'content-type': 'image/png' } });
    assert.equal(await (await toBlob({ url: 'https://x.test/1', b64_json: empty }, { fetch })).text(), 'hi');
  });
}
