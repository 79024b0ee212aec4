/** The program of the page about the AI SDK, from the packed package. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { installPacked } from '../helpers/pack.js';
import { runSample } from '../helpers/program.js';
import { startServer } from '../server/index.js';
import { tools } from './sdk.js';

for (const version of ['ai-6', 'ai-7']) {
  test(`draws with ${version}`, { timeout: 300_000 }, async (t) => {
    const project = installPacked();
    t.after(() => project.remove());
    const server = await startServer();
    t.after(() => server.close());
    const output = await runSample(project, 'ai-sdk/program', server, { ai: join(tools, version) });
    assert.match(output, /^lemon\.png: \d+ bytes$/m);
    assert.equal(readFileSync(join(project.folder, 'lemon.png')).toString('latin1', 1, 4), 'PNG');
    assert.equal(server.counts.creates, 1);
  });
}
