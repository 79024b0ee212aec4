/** What a release does to the changelog, and that the workflows call what is here. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { releaseChangelog } from '../../scripts/lib/changelog.js';
import { checkHome, HOME, withHome } from '../../scripts/lib/home.js';
import { root } from '../../scripts/lib/run.js';

const HEAD = '# Changelog\n\n## [Unreleased]\n';
const OLD = '## [0.1.0] - 2026-01-01\n\n### Added\n\n- All.\n';

describe('the changelog', () => {
  test('gets a dated section of what was not released, and room for what comes next', () => {
    const { changelog, notes } = releaseChangelog(
      `${HEAD}\n### Fixed\n\n- This.\n\n${OLD}`,
      '0.2.0',
      '2026-02-03',
    );
    assert.equal(changelog, `${HEAD}\n## [0.2.0] - 2026-02-03\n\n### Fixed\n\n- This.\n\n${OLD}`);
    assert.equal(notes, '### Fixed\n\n- This.');
  });

  test('may have had no release before', () => {
    const { changelog } = releaseChangelog(`${HEAD}\n- New.\n`, '0.1.0', '2026-02-03');
    assert.equal(changelog, `${HEAD}\n## [0.1.0] - 2026-02-03\n\n- New.\n`);
  });

  test('must say something', () => {
    assert.throws(() => releaseChangelog(`${HEAD}\n${OLD}`, '0.2.0', '2026-02-03'), /Unreleased/);
    assert.throws(() => releaseChangelog(OLD, '0.2.0', '2026-02-03'), /Unreleased/);
  });

  test('has a version once', () => {
    assert.throws(() => releaseChangelog(`${HEAD}\n- New.\n\n${OLD}`, '0.1.0', '2026-02-03'), /already/);
  });

  test('of this package can be released, or has just been', () => {
    const text = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    if (text.includes(`## [${version}] - `)) return;
    assert.match(
      releaseChangelog(text, version, '2026-02-03').changelog,
      /## \[[\d.]+\] - 2026-02-03\n\n### /,
    );
  });
});

describe('the home of the repository', () => {
  test('gives the package its links', () => {
    const { name, ...links } = JSON.parse(withHome('{ "name": "x" }', 'https://github.com/owner/x'));
    assert.equal(name, 'x');
    assert.deepEqual(links, {
      repository: { type: 'git', url: 'git+https://github.com/owner/x.git' },
      homepage: 'https://github.com/owner/x#readme',
      bugs: 'https://github.com/owner/x/issues',
    });
  });

  test('is the only place that they come from', () => {
    const text = readFileSync(join(root, 'package.json'), 'utf8');
    const manifest = JSON.parse(text);
    const released = JSON.parse(withHome(text, HOME));
    for (const field of ['repository', 'homepage', 'bugs']) {
      if (manifest[field] !== undefined) assert.deepEqual(manifest[field], released[field]);
    }
  });

  test('must be known before a release', () => {
    assert.throws(() => checkHome(''), /set HOME in scripts\/lib\/home\.js/);
    assert.throws(() => checkHome('https://github.com/owner/x/'), /without a slash/);
    checkHome('https://github.com/owner/x');
  });
});

test('npm run release refuses what is no version', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/release.js', 'tomorrow'], {
    cwd: root,
    encoding: 'utf8',
  });
  assert.equal(status, 2);
  assert.match(stderr, /Usage: npm run release/);
});

test('every script that a workflow runs is there', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const folder = join(root, '.github', 'workflows');
  const workflows = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  const called = workflows.join('\n').matchAll(/npm run ([\w:-]+)/g);
  for (const [, name] of called) assert.ok(Object.hasOwn(scripts, name), name);
  assert.ok(workflows.some((text) => text.includes('bash .ci/run')));
  assert.ok(workflows.some((text) => text.includes('--provenance')));
});
