/** Runs the program in a process of its own, whose uncaught errors are the program's to count. */

import { stress } from './program.js';

const report = await stress(JSON.parse(process.argv[2]));
// What hangs may hold the process.
process.stdout.write(JSON.stringify(report), () => process.exit(0));
