/** The samples of the page about browsers, which are the same for all bundlers. */

import { sample } from '../helpers/samples.js';

export const samples = { 'sample/index.html': 'browser/html', 'sample/app.js': 'browser/app' };

/**
 * A cell that bundles these by the command that the page prints, and opens the result.
 *
 * @param {string} tool
 * @param {string} [out] where the tool puts it
 * @returns {import('./matrix.js').Cell}
 */
export const bundled = (tool, out = 'sample/dist') => ({
  tool,
  async run({ shell, picture, weigh }) {
    await shell(`browser/${tool}`);
    await picture(out, { page: sample('browser/html') });
    return { bytes: weigh(out) };
  },
});
