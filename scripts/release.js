/**
 * Makes a release: `npm run release -- 1.2.3`, or `patch`, `minor` or `major`.
 *
 * It works in a fresh clone of the last commit: sets the version, dates the changelog, runs every test and gate,
 * builds and packs. With `--dry-run` it stops there, and nothing has changed. Otherwise the commit and its tag
 * come back into this repository; pushing the tag has the workflow publish it, with provenance.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { releaseChangelog } from './lib/changelog.js';
import { checkHome, HOME, withHome } from './lib/home.js';
import { root, run, step } from './lib/run.js';

const args = process.argv.slice(2);
const isDry = args.includes('--dry-run');
const [wanted = 'patch', ...more] = args.filter((argument) => argument !== '--dry-run');
if (more.length > 0 || !/^(\d+\.\d+\.\d+(-[\w.]+)?|patch|minor|major)$/.test(wanted)) {
  console.error('Usage: npm run release -- [<version> | patch | minor | major] [--dry-run]');
  process.exit(2);
}

const git = (folder, ...rest) => run('git', ['-C', folder, ...rest], { quiet: true }).trim();

if (git(root, 'status', '--porcelain') !== '') {
  console.error(
    'There are changes that are not committed. A release is made of the last commit: commit or discard them.',
  );
  process.exit(1);
}

if (!isDry) checkHome(HOME);

const folder = mkdtempSync(join(tmpdir(), 'lemondata-release-'));
try {
  step('clone the last commit');
  run('git', ['clone', '--quiet', root, folder]);
  for (const name of ['user.name', 'user.email']) git(folder, 'config', name, git(root, 'config', name));

  step('set the version, date the changelog');
  const edit = (file, change) => {
    const path = join(folder, file);
    writeFileSync(path, change(readFileSync(path, 'utf8')));
  };
  run('npm', ['version', wanted, '--no-git-tag-version', '--allow-same-version'], {
    cwd: folder,
    quiet: true,
  });
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const tag = `v${version}`;
  if (git(root, 'tag', '--list', tag) !== '') throw new Error(`There is a tag ${tag} already.`);
  if (HOME) edit('package.json', (text) => withHome(text, HOME));
  edit('Cargo.toml', (text) => text.replace(/^version = ".*"$/m, `version = "${version}"`));
  edit('Cargo.lock', (text) => text.replace(/(name = "lemondata-wasm"\nversion = )".*"/, `$1"${version}"`));
  let notes;
  edit('CHANGELOG.md', (text) => {
    const released = releaseChangelog(text, version, new Date().toISOString().slice(0, 10));
    notes = released.notes;
    return released.changelog;
  });
  git(folder, 'commit', '--quiet', '--all', '--message', `Release ${version}`);

  step('run every test and gate');
  run('npm', ['run', 'test:all'], { cwd: folder });

  step('pack');
  run('node', ['scripts/build/stage.js'], { cwd: folder });
  run('npm', ['pack', './target/npm', '--ignore-scripts'], { cwd: folder });

  console.log(`\n${notes}\n`);
  if (isDry) {
    console.log(`${version} is ready. This was a dry run: nothing has changed.`);
  } else {
    git(folder, 'tag', '--annotate', tag, '--message', notes);
    git(root, 'pull', '--quiet', '--ff-only', folder, 'HEAD');
    git(root, 'fetch', '--quiet', folder, 'tag', tag);
    console.log(`${version} is committed and tagged. To publish it: git push --follow-tags`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
