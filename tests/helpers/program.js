/** A program that a page prints, run in a project that has the packed package installed. */

import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { sample } from './samples.js';

/**
 * @param {{ folder: string }} project
 * @param {string} name of the sample
 * @param {{ url: string, apiKey: string }} server the service
 * @param {Record<string, string>} packages further ones that it imports, each with its folder
 * @returns {Promise<string>} what it prints
 */
export async function runSample({ folder }, name, { url, apiKey }, packages) {
  for (const [dependency, place] of Object.entries(packages)) {
    const target = join(folder, 'node_modules', dependency);
    mkdirSync(dirname(target), { recursive: true });
    symlinkSync(place, target);
  }
  writeFileSync(join(folder, 'program.mjs'), sample(name));
  const env = { ...process.env, LEMONDATA_API_KEY: apiKey, LEMONDATA_BASE_URL: url };
  const { stdout } = await promisify(execFile)(process.execPath, ['program.mjs'], { cwd: folder, env });
  return stdout;
}
