/** Deno, with no permission but the network. */

export const cells = {
  deno: {
    tool: 'deno',
    async run({ bin, execute, read, server }) {
      const permissions = ['--no-prompt', '--allow-net=127.0.0.1'];
      const args = ['run', ...permissions, 'main.js', server.url, server.apiKey];
      return { result: read(await execute(bin('deno'), args)) };
    },
  },
};
