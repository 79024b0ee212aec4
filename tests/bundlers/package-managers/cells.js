/** Package managers that lay out packages in other ways than npm: by links, and in archives that are never unpacked. */

import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

/** The newest of them asks for it. */
export const node = '24';

/** Installs the tarball in a folder of its own. */
async function install({ path, execute }, place, command, ...args) {
  const { dependencies } = JSON.parse(readFileSync(path('package.json'), 'utf8'));
  const tarball = path(dependencies['lemondata-wasm'].replace('file:', ''));
  mkdirSync(path(place));
  for (const file of ['server.js', 'exercise.js']) cpSync(path(file), path(place, file));
  writeFileSync(path(place, 'package.json'), '{ "private": true, "type": "module" }\n');
  // Otherwise it would take the folder for a part of the project around it.
  writeFileSync(path(place, 'yarn.lock'), '');
  await execute(command, ['add', ...args, `lemondata-wasm@file:${tarball}`], {}, place);
}

export const cells = {
  pnpm: {
    tool: 'pnpm',
    async run(project) {
      const { bin, execute, read } = project;
      await install(project, 'linked', bin('pnpm'), '--ignore-workspace');
      return { result: read(await execute('node', ['server.js'], {}, 'linked')) };
    },
  },
  'yarn-pnp': {
    tool: '@yarnpkg/cli-dist',
    async run(project) {
      const { bin, execute, read } = project;
      await install(project, 'archived', bin('yarn'));
      return { result: read(await execute(bin('yarn'), ['node', 'server.js'], {}, 'archived')) };
    },
  },
};
