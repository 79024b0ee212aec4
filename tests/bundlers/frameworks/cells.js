/** The samples about generations, without a framework and in Vue, Svelte and Solid, and the page for Vue, built by Vite. */

export const samples = {
  'sample/generations.js': 'generations/store',
  'sample/app.js': 'generations/page',
  'tabs/generations.js': 'generations/tabs',
  'tabs/app.js': 'generations/page',
  'sample/useGenerations.js': 'generations/vue',
  'sample/App.svelte': 'generations/svelte',
  'sample/list.js': 'generations/solid',
  'sample/App.vue': 'frameworks/vue',
};

/** Builds all pages. */
export async function open({ bin, execute }) {
  await execute(bin('vite'), ['build']);
}

const picture = () => document.querySelector('img')?.naturalWidth || undefined;

/** A page in which a click draws a picture, and which shows that after a reload. */
const cell = (tool, name) => ({
  tool,
  async run({ relay, site, open, paidOnce }) {
    const { handle } = await relay();
    const page = await open(`${await site('dist', { api: handle })}${name}.html`);
    try {
      await page.until(() => (document.querySelector('button') ? true : undefined));
      await page.run(() => document.querySelector('button').click());
      await page.until(picture);
      await page.reload();
      await page.until(picture);
    } finally {
      await page.close();
    }
    paidOnce();
  },
});

/** Two tabs of the page, one in a frame of the other: a click in that one draws in both. */
const tabs = {
  tool: 'vite',
  async run({ relay, site, open, paidOnce }) {
    const { handle } = await relay();
    const page = await open(`${await site('dist', { api: handle })}tabs.html`);
    try {
      await page.run(() => {
        const frame = document.createElement('iframe');
        frame.src = location.href;
        document.body.append(frame);
      });
      await page.until(() => frames[0]?.document.querySelector('button') ?? undefined);
      await page.run(() => frames[0].document.querySelector('button').click());
      await page.until(picture);
    } finally {
      await page.close();
    }
    paidOnce();
  },
};

/** A page in which a click draws a picture. */
const app = {
  tool: 'vue',
  run: ({ draws }) => draws('dist', { path: 'app.html' }),
};

export const cells = {
  vue: app,
  'generations-page': cell('vite', 'page'),
  'generations-tabs': tabs,
  'generations-vue': cell('vue', 'vue'),
  'generations-svelte': cell('svelte', 'svelte'),
  'generations-solid': cell('solid-js', 'solid'),
};
