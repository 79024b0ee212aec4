/** Measures: `npm run bench`. Nothing here is asserted; time is a matter of the machine, ratios are of the code. */

import { ensureBuild, ensureNodeModules } from '../scripts/lib/prepare.js';

ensureNodeModules();
ensureBuild();
const { benchRelay } = await import('./relay.js');
await benchRelay();
