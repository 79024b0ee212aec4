/** Shared polls never cross tenants, in every runtime that has asynchronous contexts. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { installPacked } from '../helpers/pack.js';
import { openRuntime } from './runtimes.js';

let project;
before(() => {
  project = installPacked();
});
after(() => project?.remove());

describe('rule 3: one client for several tenants', { timeout: 120_000 }, () => {
  for (const name of ['node', 'deno', 'bun', 'workerd']) {
    test(`keeps them apart in ${name}`, async (t) => {
      const runtime = await openRuntime(name, project.folder, { compatibilityFlags: ['nodejs_compat'] });
      t.after(() => runtime.close());
      const { byKey, byHeaders, together } = await runtime.run('tenants');
      assert.deepEqual(byKey.pictures, ['https://x.test/Bearer sk-a', 'https://x.test/Bearer sk-b']);
      assert.deepEqual(byKey.polls, { 'Bearer sk-a': 3, 'Bearer sk-b': 3 });
      assert.deepEqual(byHeaders.pictures, ['https://x.test/a', 'https://x.test/b']);
      assert.deepEqual(byHeaders.polls, { a: 3, b: 3 });
      for (const { strays } of [byKey, byHeaders, together]) assert.deepEqual(strays, []);
      // The same key is the same tenant, save in edge workers, where no request may carry another's promise.
      assert.equal(together.polls['Bearer sk-shared'], name === 'workerd' ? 6 : 3);
    });
  }
});
