/** A program that leaves its key to the environment. */

import { generate } from 'lemondata-wasm';
import { destination } from './destination.js';
import { print } from './exercise.js';

print(await destination(generate));
