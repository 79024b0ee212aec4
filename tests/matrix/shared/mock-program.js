/** A program with the service in memory. */

import { print } from './exercise.js';
import { exerciseMock } from './mock.js';

print(await exerciseMock());
