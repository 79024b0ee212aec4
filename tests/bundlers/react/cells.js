/**
 * The samples of the page about React, in Vite's development server, since `StrictMode` runs effects twice there
 * alone, and in its build.
 */

import assert from 'node:assert/strict';

export const samples = {
  'sample/generations.ts': 'react/store',
  'sample/Picture.tsx': 'react/picture',
  'sample/App.tsx': 'react/app',
  'sample/main.tsx': 'react/main',
  'sample/vite.config.js': 'browser/proxy',
  'sample/Cover.jsx': 'testing/component',
  'sample/Cover.stories.jsx': 'testing/storybook',
};

/** Serves the pages, with a relay that each cell brings. */
export async function open({ bin, serve, site }) {
  const opened = {};
  const relay = await site('.', { api: (c) => opened.api(c) });
  const [url] = await serve(bin('vite'), ['--host', '127.0.0.1'], /http:\/\/127\.0\.0\.1:\d+\//, {
    RELAY_URL: relay.slice(0, -1),
  });
  return Object.assign(opened, { url });
}

const draw = () => document.querySelector('form').requestSubmit();
/** Whether the page waits for the next poll, and shows how far the task is; before the first poll, it does not know. */
const shows = (progress) =>
  document.querySelector('progress')?.value === progress && globalThis.gaps() === 1 ? true : undefined;
/** Draws a picture, and polls once. */
async function drawn(page) {
  await page.until(() => document.querySelector('form') && true);
  await page.run(draw);
  await page.until(shows);
  await page.run(pass);
  await page.until(shows, 33);
}
const picture = () => document.querySelector('img')?.naturalWidth || undefined;
const pass = () => globalThis.pass();

const cell = (path, act) => ({
  tool: 'react',
  async run(project, opened) {
    const relay = await project.relay('task');
    opened.api = relay.handle;
    const page = await project.open(`${opened.url}${path}`);
    try {
      await act({ page, relay, opened, counts: project.server.counts });
    } finally {
      await page.close();
    }
    project.paidOnce();
    assert.equal(project.server.counts.polls, 3, 'no two waits polled beside each other');
  },
});

export const cells = {
  'react-strict': cell('', async ({ page, relay }) => {
    await drawn(page);
    assert.equal(relay.creates, 1, 'the effects ran twice, the create was sent once');
    await page.run(pass);
    await page.until(shows, 66);
    await page.run(pass);
    await page.until(picture);
    assert.equal(relay.creates, 1);
  }),
  'react-remount': cell('remount.html', async ({ page, relay, counts }) => {
    await page.until(shows);
    await page.run(pass);
    await page.until(shows, 33);
    await page.run(() => globalThis.stage(false));
    await page.until(() =>
      document.querySelector('progress') === null && globalThis.gaps() === 0 ? true : undefined,
    );
    assert.equal(counts.polls, 1);
    await page.run(() => globalThis.stage(true));
    await page.until(shows, 66);
    await page.run(pass);
    await page.until(picture);
    assert.equal(relay.creates, 1);
  }),
  'react-storybook': {
    tool: 'react',
    async run(project, opened) {
      const page = await project.open(`${opened.url}stories.html`);
      try {
        await page.until(() => document.querySelector('#Drawing img')?.naturalWidth === 1024 || undefined);
        await page.until(
          () => /not available/.test(document.querySelector('#Busy p')?.textContent) || undefined,
        );
        await page.until(
          () => /filtered/.test(document.querySelector('#Filtered p')?.textContent) || undefined,
        );
      } finally {
        await page.close();
      }
      assert.equal(project.server.counts.requests.length, 0);
    },
  },
  'react-inline': {
    tool: 'react',
    async run(project, opened) {
      const relay = await project.relay();
      opened.api = relay.handle;
      const page = await project.open(`${opened.url}inline.html`);
      try {
        await page.until(picture);
        const renders = await page.run(() => globalThis.renders);
        assert.ok(renders < 20, `a request that is written in a component was rendered ${renders} times`);
      } finally {
        await page.close();
      }
      project.paidOnce();
    },
  },
  'react-reload': cell('', async ({ page, relay }) => {
    await drawn(page);
    await page.reload();
    await page.until(shows, 66);
    await page.run(pass);
    await page.until(picture);
    assert.equal(relay.creates, 1, 'the task came out of the storage');
  }),
  'react-reload-early': cell('', async ({ page, relay, opened }) => {
    await page.until(() => document.querySelector('form') && true);
    const { promise: reloaded, resolve: reload } = withResolvers();
    const { promise: created, resolve: create } = withResolvers();
    opened.api = async (c) => {
      const answer = await relay.handle(c);
      if (c.req.method === 'POST') {
        create();
        await reloaded;
      }
      return answer;
    };
    await page.run(draw);
    await created;
    await page.reload();
    reload();
    await page.until(shows);
    await page.run(pass);
    await page.until(shows, 33);
    assert.equal(relay.creates, 2, 'the page sent the create again, and the relay knew its key');
    await page.run(pass);
    await page.until(shows, 66);
    await page.run(pass);
    await page.until(picture);
  }),
  'react-build': {
    tool: 'react',
    async run({ bin, execute, relay, site, open, paidOnce, weigh }) {
      await execute(bin('vite'), ['build']);
      const { handle } = await relay('task');
      const page = await open(await site('dist', { api: handle }));
      try {
        await drawn(page);
        await page.run(pass);
        await page.until(shows, 66);
        await page.run(pass);
        await page.until(picture);
      } finally {
        await page.close();
      }
      paidOnce();
      return { bytes: weigh('dist') };
    },
  },
};

/** As of Node 22 there is one of `Promise`. */
function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve) => {
    made.resolve = resolve;
  });
  return made;
}
