/** Finds the command, runs it, and says how it ended. */

import { readFileSync } from 'node:fs';
import { readArguments, UsageError } from './arguments.js';
import { exitCodeOf, report } from './exit.js';
import { models } from './models.js';
import { edit, generate, wait } from './pictures.js';
import { mock, relay } from './servers.js';

/**
 * @typedef {object} Command
 * @property {string} usage its arguments, and what they mean
 * @property {Record<string, { type: 'string' | 'boolean', short?: string, multiple?: boolean, default?: string }>} options
 * @property {string} [positional] what its one positional argument is
 * @property {(args: { values: Record<string, any>, positional: string }) => Promise<void>} run
 */

/** @type {Record<string, Command>} */
const COMMANDS = { generate, edit, wait, models, mock, relay };

const HELP = `lemondata-wasm: pictures from the LemonData image API

${Object.values(COMMANDS)
  .map(({ usage }) => `  npx lemondata-wasm ${usage.split('\n')[0]}`)
  .join('\n')}

"npx lemondata-wasm <command> --help" has the options of a command.

The key comes from LEMONDATA_API_KEY (https://api.lemondata.cc) or TOKENLAB_API_KEY (https://api.tokenlab.sh), and
LEMONDATA_BASE_URL names another address. Every picture is billed by the service. "mock" is a service on this machine
that bills nothing.

Exit codes: 0 done, 1 a fault of this machine, 2 wrong arguments, 3 nothing has been sent, 4 refused and not billed,
5 the task has failed or is gone, 6 the task goes on: "wait" gets it, 7 it may have been billed, 8 made but not saved, 130 Ctrl-C.
`;

/**
 * @param {string[]} args
 * @returns {Promise<number>} the exit code
 */
export async function run([name = 'help', ...args]) {
  if (['help', '--help', '-h'].includes(name)) {
    process.stdout.write(HELP);
    return 0;
  }
  if (['--version', '-v'].includes(name)) {
    const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
    console.log(JSON.parse(manifest).version);
    return 0;
  }
  // Behind `--`, there is no option.
  const end = args.indexOf('--');
  const options = end < 0 ? args : args.slice(0, end);
  let isJson = options.includes('--json');
  try {
    if (!Object.hasOwn(COMMANDS, name)) {
      isJson = false;
      const commands = Object.keys(COMMANDS).join(', ');
      throw new UsageError(`There is no command '${name}'. The commands are ${commands}, help.`);
    }
    const command = COMMANDS[name];
    if (options.includes('--help') || options.includes('-h')) {
      console.log(`npx lemondata-wasm ${command.usage}`);
      return 0;
    }
    await command.run(await readArguments(name, command, args));
    return 0;
  } catch (error) {
    report(error, isJson);
    return exitCodeOf(error);
  }
}
