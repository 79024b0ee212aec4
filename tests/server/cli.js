/**
 * Runs the server by hand:
 *
 *     node tests/server/cli.js --port 8787 --task-ms 6000 --poll-path tasks --cors
 */
import { parseArgs } from 'node:util';
import { startServer, TEST_KEY } from './index.js';

const USAGE = `node tests/server/cli.js [options]

  --port <number>          default 8787
  --key <key>              the key that it accepts, default ${TEST_KEY}
  --task-ms <number>       the whole time that a task takes, default 6000
  --inline-ms <number>     the delay of inline answers, default 0
  --poll-path <path>       images, tasks, alias or none; default images
  --strict                 as strict as the service of 2026
  --cors                   answer pages of any origin
  --origin <origin>        answer pages of this origin; may be repeated
`;

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8787' },
    key: { type: 'string', default: TEST_KEY },
    'task-ms': { type: 'string', default: '6000' },
    'inline-ms': { type: 'string', default: '0' },
    'poll-path': { type: 'string', default: 'images' },
    strict: { type: 'boolean', default: false },
    cors: { type: 'boolean', default: false },
    origin: { type: 'string', multiple: true },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}

const server = await startServer({
  port: numberOf('port'),
  apiKey: values.key,
  taskMs: numberOf('task-ms'),
  inlineMs: numberOf('inline-ms'),
  pollPath: pollPathOf(values['poll-path']),
  isStrict: values.strict,
  cors: values.cors || values.origin || false,
  log: (line) => console.log(line),
});
console.log(`LemonData test server: ${server.url}`);
console.log(`API key: ${server.apiKey}`);

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.once(signal, () => server.close());
}

/** @param {'port' | 'task-ms' | 'inline-ms'} name */
function numberOf(name) {
  const text = values[name];
  if (!/^\d+$/.test(text)) {
    fail(`--${name} must be a whole number, not '${text}'`);
  }
  return Number(text);
}

/** @param {string} text */
function pollPathOf(text) {
  if (!['images', 'tasks', 'alias', 'none'].includes(text)) {
    fail(`--poll-path must be images, tasks, alias or none, not '${text}'`);
  }
  return /** @type {import('../../js/testing/tasks.js').PollPath} */ (text);
}

/** @param {string} message */
function fail(message) {
  process.stderr.write(`${message}\n\n${USAGE}`);
  process.exit(2);
}
