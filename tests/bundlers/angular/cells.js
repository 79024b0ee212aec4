/** Angular, built by its command line: calls in a component, and the sample. Its compiler checks the declarations, too. */

export const samples = {
  'src/app/app.ts': 'frameworks/angular',
  'proxy.conf.json': 'frameworks/angular-proxy',
};

/** The tool asks for it. */
export const node = '24';

export const cells = {
  angular: {
    tool: '@angular/core',
    all: true,
    async run({ site, page, weigh }) {
      return { result: await page(await site('dist')), bytes: weigh('dist') };
    },
  },
  'angular-page': {
    tool: '@angular/core',
    all: true,
    run: ({ draws }) => draws('dist'),
  },
};

export const open = ({ bin, execute }) => execute(bin('ng'), ['build'], { NG_CLI_ANALYTICS: 'false' });
