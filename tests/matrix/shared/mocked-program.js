/** A program with the service in memory. */

import { print } from './exercise.js';
import { mocked } from './mocked.js';

print(await mocked());
