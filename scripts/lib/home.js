/** Where the repository has its home: the one place from which a release takes its links. */

/** Such as `https://github.com/owner/lemondata-wasm`, without a slash at its end. Empty while it has none. */
export const HOME = '';

/** @throws {Error} if there is no home, without which npm signs no package */
export function checkHome(home) {
  if (home === '') throw new Error('The repository has no home yet: set HOME in scripts/lib/home.js.');
  if (home.endsWith('/'))
    throw new Error('HOME in scripts/lib/home.js has to be written without a slash at its end.');
}

/**
 * Adds the links of the package to its manifest.
 *
 * @param {string} manifest the text of `package.json`
 * @param {string} home
 * @returns {string} the manifest with `repository`, `homepage` and `bugs`
 */
export function withHome(manifest, home) {
  const links = {
    repository: { type: 'git', url: `git+${home}.git` },
    homepage: `${home}#readme`,
    bugs: `${home}/issues`,
  };
  return `${JSON.stringify({ ...JSON.parse(manifest), ...links }, null, 2)}\n`;
}
