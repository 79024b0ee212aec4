/** Node, by `import`, by `require`, by both in one process, and with the module read from its file. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { checkRead, KEYS } from '../../matrix/keys.js';
import { freePort } from '../../matrix/ports.js';

export const samples = {
  'sample/lemon.mjs': 'node/import',
  'sample/lemon.cjs': 'node/require',
  'sample/patient.mjs': 'node/patient',
  'sample/slim.mjs': 'slim/node',
  'sample/openai.mjs': 'migration/openai',
  'sample/polling.mjs': 'migration/polling',
  'sample/resume.mjs': 'guide/resume',
  'sample/fields.mjs': 'models/fields',
  'sample/keep.mjs': 'pictures/node',
  'sample/relay.mjs': 'README/relay',
  'sample/serve.mjs': 'testing/serve',
  'sample/cover.js': 'testing/code',
  'sample/cover.test.js': 'testing/node',
};

const VERSIONS = ['20', '22', '24', '26'];
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

/**
 * Runs a sample in each version, its polls without the seconds between them.
 *
 * @param {(output: string) => void} look
 * @param {{ env?: Record<string, string>, prepare?: () => void }} [options] `prepare` runs before each
 */
async function runSample(project, file, look, { env = {}, prepare = () => {} } = {}) {
  const { path, execute, server, paidOnce, version: name } = project;
  for (const version of VERSIONS) {
    server.reset();
    prepare();
    const node = path('node_modules', `node-${version}`, 'bin', 'node');
    look(await execute(node, ['--import=../hurry.js', file], env, 'sample'));
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
cells['node-fields-sample'] = prints('fields.mjs');
cells['node-cli-sample'] = {
  tool: 'node',
  async run({ path, execute, shell, server, version: name }) {
    const command = path('node_modules', 'lemondata-wasm', 'dist', 'cli.js');
    for (const version of VERSIONS) {
      const node = path('node_modules', `node-${version}`, 'bin', 'node');
      assert.match(await execute(node, [command, 'models']), /^gpt-image-2\t/m, version);
    }
    assert.match(await shell('cli/first'), /lemon\.png/);
    assert.equal(readFileSync(path('sample', 'lemon.png')).toString('latin1', 1, 4), 'PNG');
    const hurry = { NODE_OPTIONS: `--import=${path('hurry.js')}` };
    server.next({ on: 'create', reply: 'task' });
    assert.match(await shell('cli/script', 'sample', hurry), /^http:\S+\.png$/m);
    server.next({ on: 'create', reply: 'poll:error-503-final' });
    assert.match(await shell('cli/script', 'sample', hurry), /^npx lemondata-wasm wait \w+$/m);
    const versions = VERSIONS.map((version) => name(`node-${version}`).split(' ')[1]);
    return { tool: `node ${versions.join(', ')}` };
  },
};
cells['node-testing-sample'] = {
  tool: 'node',
  async run({ path, execute, server, version: name }) {
    for (const version of VERSIONS) {
      const node = path('node_modules', `node-${version}`, 'bin', 'node');
      assert.match(await execute(node, ['--test', 'cover.test.js'], {}, 'sample'), /pass 2\b/, version);
      assert.match(
        await execute(node, ['--import=../hurry.js', 'serve.mjs'], {}, 'sample'),
        /^http:\S+\.png$/m,
      );
    }
    assert.equal(server.counts.requests.length, 0, 'all of it went to the service in memory');
    const versions = VERSIONS.map((version) => name(`node-${version}`).split(' ')[1]);
    return { tool: `node ${versions.join(', ')}` };
  },
};
cells['node-pictures-sample'] = {
  tool: 'node',
  run(project) {
    const folder = project.path('sample', 'pictures');
    const look = (output) => {
      const names = readdirSync(folder).map((name) => `pictures/${name}`);
      assert.deepEqual(output.trim().split('\n'), names);
      assert.match(names[0], /^pictures\/[\da-f]{16}\.png$/);
    };
    const prepare = () => rmSync(folder, { recursive: true, force: true });
    return runSample(project, 'keep.mjs', look, { prepare });
  },
};
cells['node-resume-sample'] = {
  tool: 'node',
  run(project) {
    const { server } = project;
    // It ends the wait, and leaves the task as it is.
    const body = { error: { message: 'Not now.', type: 'server_error', retryable: false } };
    const prepare = () => server.next({ on: 'poll', reply: { status: 503, body } });
    const look = (output) => {
      assert.match(output, /^GET .* 503: Not now\. Waiting again\.$/m);
      assert.match(output, /^http:\S+\.png$/m);
      assert.equal(server.counts.polls, 3, 'one that was refused, two after it');
    };
    // The poll that was refused is none of the task's, and counts as rejected.
    const paidOnce = () => assert.equal(server.counts.creates, 1);
    return runSample({ ...project, paidOnce }, 'resume.mjs', look, { env: { SCENARIO: 'task' }, prepare });
  },
};
cells['node-environment'] = {
  tool: 'node',
  run: async ({ execute, read }) =>
    checkRead(read(await execute(process.execPath, ['environment.js'], KEYS))),
};
cells['node-relay-sample'] = {
  tool: 'node',
  async run({ path, serve, paidOnce }) {
    const port = await freePort();
    const more = { PORT: String(port), RELAY_SECRET: 'a secret of the tests, of 32 characters' };
    await serve(process.execPath, ['relay.mjs'], port, more, 'sample');
    const { generateAndWait } = await import(path('node_modules/lemondata-wasm/dist/index.js'));
    const baseUrl = `http://127.0.0.1:${port}/api/lemondata`;
    const request = { model: 'gpt-image-2', prompt: 'A lemon' };
    const { data } = await generateAndWait(request, { baseUrl, relay: true });
    assert.match(data[0].url, /^http:\S+\.png$/);
    paidOnce();
  },
};
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
    const outcome = await runSample(project, 'lemon.mjs', look, { env: { SCENARIO: 'task' } });
    // The last run, had it been broken off.
    const [task] = server.tasks.keys();
    writeFileSync(path('sample', 'task.json'), JSON.stringify({ task_id: task }));
    await project.execute('node', ['lemon.mjs'], {}, 'sample');
    assert.equal(server.counts.creates, 1, 'the task was waited for, not paid for again');
    // A task that is gone.
    writeFileSync(path('sample', 'task.json'), JSON.stringify({ task_id: 'img_gone' }));
    const gone = project.execute('node', ['--import=../hurry.js', 'lemon.mjs'], {}, 'sample');
    await assert.rejects(gone, /async_task_not_found/);
    assert.ok(!existsSync(path('sample', 'task.json')), 'the next run makes another picture');
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
