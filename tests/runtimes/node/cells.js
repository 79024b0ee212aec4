/** Node, by `import`, by `require`, by both in one process, and with the module read from its file. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

export const samples = {
  'sample/lemon.mjs': 'node/import',
  'sample/lemon.cjs': 'node/require',
  'sample/patient.mjs': 'node/patient',
  'sample/slim.mjs': 'slim/node',
  'sample/openai.mjs': 'migration/openai',
  'sample/polling.mjs': 'migration/polling',
};

const VERSIONS = ['20', '22', '24'];
const FILES = { import: 'server.js', require: 'require.cjs', both: 'both.js', slim: 'slim.js' };

export const cells = {};
for (const version of VERSIONS) {
  for (const [way, file] of Object.entries(FILES)) {
    cells[`node-${version}-${way}`] = {
      tool: `node-${version}`,
      async run({ path, execute, read, version: name }) {
        const node = path('node_modules', `node-${version}`, 'bin', 'node');
        return {
          result: read(await execute(node, [file])),
          tool: name(`node-${version}`).replace(/-\d+/, ''),
        };
      },
    };
  }
}

/** Runs a sample in each version, its polls without the seconds between them. */
async function runSample({ path, execute, server, paidOnce, version: name }, file, look) {
  for (const version of VERSIONS) {
    server.reset();
    const node = path('node_modules', `node-${version}`, 'bin', 'node');
    look(await execute(node, ['--import=../hurry.js', file], {}, 'sample'));
    paidOnce();
  }
  const versions = VERSIONS.map((version) => name(`node-${version}`).split(' ')[1]);
  return { tool: `node ${versions.join(', ')}` };
}

const prints = (file) => ({
  tool: 'node',
  run: (project) => runSample(project, file, (output) => assert.match(output, /^http:\S+\.png$/m)),
});

cells['node-require-sample'] = prints('lemon.cjs');
cells['node-slim-sample'] = prints('slim.mjs');
cells['node-openai-sample'] = prints('openai.mjs');
cells['node-polling-sample'] = prints('polling.mjs');
cells['node-sample'] = {
  tool: 'node',
  async run(project) {
    const { path, server } = project;
    const look = (output) => {
      assert.match(output, /^lemon\.png: \d+ bytes$/m);
      assert.equal(readFileSync(path('sample', 'lemon.png')).toString('latin1', 1, 4), 'PNG');
      assert.equal(server.counts.polls, 3);
      assert.ok(!existsSync(path('sample', 'task.json')));
    };
    const outcome = await runSample(project, 'lemon.mjs', look);
    // The last run, had it been broken off.
    const [task] = server.tasks.keys();
    writeFileSync(path('sample', 'task.json'), JSON.stringify({ task_id: task }));
    await project.execute('node', ['lemon.mjs'], {}, 'sample');
    assert.equal(server.counts.creates, 1, 'the task was waited for, not paid for again');
    await checkPatience(project);
    return outcome;
  },
};

/** A create that is answered later than Node's own fetch waits comes through with the one of the sample. */
async function checkPatience(project) {
  const { path, execute, server } = project;
  const picture = 'http://127.0.0.1/lemon.png';
  const late = { on: 'create', reply: { delay: 100, body: { created: 1, data: [{ url: picture }] } } };
  for (const version of VERSIONS) {
    const node = path('node_modules', `node-${version}`, 'bin', 'node');
    for (const [file, expected] of [
      ['../impatient.js', 'UND_ERR_HEADERS_TIMEOUT'],
      ['patient.mjs', picture],
    ]) {
      server.reset();
      server.next(late);
      const output = await execute(node, ['--import=../short-timeouts.js', file], {}, 'sample');
      assert.equal(output.trim(), expected, `${file} in Node ${version}`);
    }
  }
}
