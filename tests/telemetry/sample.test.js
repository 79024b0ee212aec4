/** The program of the page about telemetry, from the packed package. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { installPacked } from '../helpers/pack.js';
import { runSample } from '../helpers/program.js';
import { ensureTools } from '../matrix/project.js';
import { startServer } from '../server/index.js';

test('draws, also where nothing listens to spans', { timeout: 300_000 }, async (t) => {
  const tools = ensureTools(join(import.meta.dirname, 'sdk'));
  const project = installPacked();
  t.after(() => project.remove());
  const server = await startServer();
  t.after(() => server.close());
  const name = '@opentelemetry/api';
  const output = await runSample(project, 'telemetry/program', server, { [name]: join(tools, name) });
  assert.match(output, /^http/);
  assert.equal(server.counts.creates, 1);
});
