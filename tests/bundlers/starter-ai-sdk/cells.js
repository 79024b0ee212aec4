/** The starter `examples/ai-sdk`. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeSecrets } from '../../matrix/starter.js';

/** The SDK asks for it. */
export const node = '22';
export const example = 'ai-sdk';

export const cells = {
  'starter-ai-sdk': {
    tool: 'ai',
    async run(project) {
      writeSecrets(project, '.env');
      const output = await project.execute('npm', ['start', '--', 'A lemon']);
      assert.match(output, /^picture\.png: \d+ bytes$/m);
      assert.equal(readFileSync(project.path('picture.png')).toString('latin1', 1, 4), 'PNG');
      project.paidOnce();
    },
  },
};
