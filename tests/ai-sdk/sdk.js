/** The versions of the AI SDK that the provider is for. */

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureTools } from '../matrix/project.js';

/** The `node_modules` with the SDKs in it. */
export const tools = ensureTools(join(import.meta.dirname, 'sdk'));

/** The SDK in its versions, each under its name. */
export const SDKS = Object.fromEntries(
  await Promise.all(
    ['ai-6', 'ai-7'].map(async (name) => {
      const manifest = createRequire(import.meta.url)(join(tools, name, 'package.json'));
      const { import: entry, default: other } = manifest.exports['.'];
      const sdk = await import(pathToFileURL(join(tools, name, entry ?? other)).href);
      return [name, sdk];
    }),
  ),
);

// It prints a line for each warning that a test asks for.
globalThis.AI_SDK_LOG_WARNINGS = false;
