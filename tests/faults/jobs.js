/** What a runtime of this suite can be asked to do. */

import { perform } from './scenario.js';
import { reveal } from './secrets.js';
import { tenants } from './tenants.js';

export const JOBS = { perform, reveal, tenants };
