/** Reads and writes `CHANGELOG.md`, in the format of Keep a Changelog. */

const UNRELEASED = '## [Unreleased]';

/** What stands under a heading of the second level, up to the next one. */
function section(changelog, heading) {
  const start = changelog.indexOf(`${heading}\n`);
  if (start < 0) return undefined;
  const from = start + heading.length + 1;
  const end = changelog.indexOf('\n## ', from);
  return {
    from,
    end: end < 0 ? changelog.length : end + 1,
    text: changelog.slice(from, end < 0 ? undefined : end).trim(),
  };
}

/**
 * Makes a version of what is not released yet.
 *
 * @param {string} changelog
 * @param {string} version
 * @param {string} date as `YYYY-MM-DD`
 * @returns {{ changelog: string, notes: string }} the new document, and what the version brings
 * @throws where nothing is to be released, or the version is there already
 */
export function releaseChangelog(changelog, version, date) {
  if (changelog.includes(`## [${version}]`))
    throw new Error(`CHANGELOG.md has a section for ${version} already.`);
  const pending = section(changelog, UNRELEASED);
  if (!pending?.text)
    throw new Error('CHANGELOG.md says nothing under "Unreleased": write down what is new.');
  const { from, end, text } = pending;
  const released = `\n## [${version}] - ${date}\n\n${text}\n`;
  return {
    changelog: `${changelog.slice(0, from)}${released}${end < changelog.length ? '\n' : ''}${changelog.slice(end)}`,
    notes: text,
  };
}
