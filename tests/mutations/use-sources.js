/** Has Stryker's copy import the relay from its source, which holds the mutants, and not from its bundle. */

import { readFileSync, writeFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
manifest.exports['./relay'] = './js/relay/index.js';
writeFileSync('package.json', JSON.stringify(manifest));
