#!/usr/bin/env node
/** `npx lemondata-wasm`: the command line. `docs/cli.md` says what it does. */

import { run } from './run.js';

// A reader that leaves, such as `head`, ends no create that is under way, and no picture that is about to be saved.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

process.exitCode = await run(process.argv.slice(2));
