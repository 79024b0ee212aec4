/** Node, by `import`, by `require`, by both in one process, and with the module read from its file. */

const FILES = { import: 'server.js', require: 'require.cjs', both: 'both.js', slim: 'slim.js' };

export const cells = {};
for (const version of ['20', '22', '24']) {
  for (const [way, file] of Object.entries(FILES)) {
    cells[`node-${version}-${way}`] = {
      tool: `node-${version}`,
      async run({ path, execute, read, version: name }) {
        const node = path('node_modules', `node-${version}`, 'bin', 'node');
        return {
          result: read(await execute(node, [file])),
          tool: name(`node-${version}`).replace(/-\d+/, ''),
        };
      },
    };
  }
}
