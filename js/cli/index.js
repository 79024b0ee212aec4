#!/usr/bin/env node
/** `npx lemondata-wasm`: the command line. `docs/cli.md` says what it does. */

import { run } from './run.js';

process.exitCode = await run(process.argv.slice(2));
