/** The sentences that the package says to its users: the texts of errors and of the relay's and the hub's logs. */

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { root } from '../../scripts/lib/run.js';
