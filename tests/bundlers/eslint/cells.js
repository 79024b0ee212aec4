/** The rule `import/no-unresolved` of ESLint, whose resolver ignores `exports`. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';

export const cells = {
  eslint: {
    tool: 'eslint-plugin-import',
    async run({ bin, execute, path }) {
      const manifest = path('node_modules', 'lemondata-wasm', 'package.json');
      const { exports } = JSON.parse(readFileSync(manifest, 'utf8'));
      const entries = Object.keys(exports).filter((name) => typeof exports[name] === 'object');
      const imports = entries.map((name) => `import '${name.replace('.', 'lemondata-wasm')}';\n`);
      assert.ok(entries.length > 5);
      writeFileSync(path('entries.js'), imports.join(''));
      await execute(bin('eslint'), ['entries.js']);
      writeFileSync(path('none.js'), "import 'lemondata-wasm/none';\n");
      await assert.rejects(execute(bin('eslint'), ['none.js']), /import\/no-unresolved/);
    },
  },
};
