/** The hooks in a page, under strict mode, with the oldest React that they are for and the newest. */

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { build } from 'esbuild';
import { root } from '../../scripts/lib/run.js';
import { openBrowser } from '../helpers/browsers.js';
import { serveSite } from '../helpers/site.js';
import { ensureTools } from '../matrix/project.js';

const TASK = { task_id: 'img_1' };

/** Bundles the page as a development server does: there alone strict mode runs effects twice. */
async function bundlePage(tools, outfile) {
  await build({
    entryPoints: [join(import.meta.dirname, 'react-page.jsx')],
    bundle: true,
    format: 'esm',
    jsx: 'automatic',
    jsxDev: true,
    define: { 'process.env.NODE_ENV': '"development"' },
    alias: {
      react: join(tools, 'react'),
      'react-dom': join(tools, 'react-dom'),
      'lemondata-wasm': join(root, 'dist'),
    },
    outfile,
    logLevel: 'warning',
  });
}

const page = (html = '') =>
  `<!DOCTYPE html><title>React</title><div id="root">${html}</div><script type="module" src="/page.js"></script>`;

for (const version of [18, 19]) {
  describe(`with React ${version}`, { timeout: 120_000 }, () => {
    let tools;
    let browser;
    let site;
    let tab;
    before(async () => {
      tools = ensureTools(join(import.meta.dirname, `react-${version}`));
      const script = join(root, 'target', 'generations', `react-${version}.js`);
      await bundlePage(tools, script);
      site = await serveSite({ '/page.js': script }, page());
      browser = await openBrowser('chromium');
    });
    after(async () => {
      await browser?.close();
      await site?.close();
    });
    beforeEach(async () => {
      await tab?.close();
      tab = await browser.open(site.url);
    });
    const run = (work, argument) => tab.run(work, argument);

    test('it is that version', () => {
      const require = createRequire(import.meta.url);
      assert.match(require(join(tools, 'react')).version, new RegExp(`^${version}\\.`));
    });

    test('a request is created once, and its generation is shown', async () => {
      const seen = await run(async (task) => {
        const { show, see, calls } = window;
        show(['picture']);
        await window.until(() => calls.length > 0);
        await see('sending');
        await calls[0].options.onTask(task);
        await see('waiting');
        calls[0].options.onUpdate({ status: 'processing', progress: 40 }, { nextPollMs: 10 });
        await see('waiting 40');
        calls[0].done([{ url: '/1.png' }]);
        await see('done /1.png');
        return { calls: calls.length, renders: window.renders };
      }, TASK);
      assert.equal(seen.calls, 1);
      assert.ok(seen.renders < 30, `it was rendered ${seen.renders} times`);
    });

    test('a changed request is another generation, and the same words are the same one', async () => {
      const prompts = await run(async () => {
        const { show, calls } = window;
        const [lemon, same] = [
          { prompt: 'A lemon', options: { seed: 1, steps: 2 } },
          { options: { steps: 2, seed: 1 }, prompt: 'A lemon' },
        ];
        show(['picture', { source: lemon }], ['picture', { source: same }]);
        await window.until(() => calls.length === 1);
        show(['picture', { source: { prompt: 'A lime' } }]);
        await window.until(() => calls.length === 2);
        show(['picture', { source: { prompt: 'A lime' }, edit: true }]);
        await window.until(() => calls.length === 3);
        await window.settle();
        return calls.map(({ name, input }) => `${name} ${input.prompt}`);
      });
      assert.deepEqual(prompts, ['generate A lemon', 'generate A lime', 'edit A lime']);
    });

    test('unmounting ends the wait and not the task; the next mount goes on', async () => {
      const seen = await run(async (task) => {
        const { show, calls } = window;
        show(['picture']);
        await window.until(() => calls.length === 1);
        await calls[0].options.onTask(task);
        await window.see('waiting');
        show();
        await window.until(() => calls[0].options.signal.aborted);
        const [{ phase }] = window.generations.list();
        show(['picture']);
        await window.until(() => calls.length === 2);
        calls[1].done([{ url: '/1.png' }]);
        await window.see('done /1.png');
        return { phase, names: calls.map(({ name }) => name), task: calls[1].input };
      }, TASK);
      assert.deepEqual(seen, { phase: 'waiting', names: ['generate', 'wait'], task: TASK });
    });

    test('unmounting does not end a create, and ends the wait that would follow it', async () => {
      const seen = await run(async (task) => {
        const { show, calls } = window;
        show(['picture']);
        await window.until(() => calls.length === 1);
        show();
        await window.settle();
        const { signal, onTask } = calls[0].options;
        const before = signal.aborted;
        await onTask(task);
        return [before, signal.aborted, window.generations.list()[0].phase];
      }, TASK);
      assert.deepEqual(seen, [false, true, 'waiting']);
    });

    for (const [name, rest] of [
      ['another component', [['picture', { key: 'second' }]]],
      ['the list', [['list']]],
    ]) {
      test(`the wait goes on while ${name} shows it`, async () => {
        const aborted = await run(
          async ({ task, rest }) => {
            const { show, calls } = window;
            show(['picture', { key: 'first' }], ...rest);
            await window.until(() => calls.length === 1);
            await calls[0].options.onTask(task);
            show(...rest);
            await window.settle();
            const during = calls[0].options.signal.aborted;
            show();
            await window.until(() => calls[0].options.signal.aborted);
            return during;
          },
          { task: TASK, rest },
        );
        assert.equal(aborted, false);
      });
    }

    test('the wait goes on in the background where that is wanted', async () => {
      const aborted = await run(async (task) => {
        const { show, calls } = window;
        show(['picture', { background: true }]);
        await window.until(() => calls.length === 1);
        await calls[0].options.onTask(task);
        show();
        await window.settle();
        return calls[0].options.signal.aborted;
      }, TASK);
      assert.equal(aborted, false);
    });

    test('an id shows its generation, and the list has the methods of the store', async () => {
      const seen = await run(async () => {
        const { show, see } = window;
        show(['list'], ['picture', { source: 'hero' }]);
        await see('', 'nothing');
        window.actions.start({ prompt: 'A lemon' }, { id: 'hero' });
        await see('hero: sending', 'sending');
        window.actions.remove('hero');
        await see('', 'nothing');
        return window.calls.length;
      });
      assert.ok(seen <= 1);
    });

    test('a reload brings the picture of the same request back', async () => {
      await run(async () => {
        window.show(['picture']);
        await window.until(() => window.calls.length === 1);
        window.calls[0].done([{ url: 'https://x.test/1.png' }]);
        await window.see('done https://x.test/1.png');
        await window.settle();
      });
      await tab.reload();
      const calls = await run(async () => {
        window.show(['picture']);
        await window.see('done https://x.test/1.png');
        return window.calls.length;
      });
      assert.equal(calls, 0);
    });

    test('a render that is never committed creates nothing', async () => {
      const calls = await run(async () => {
        window.showLater(['picture'], ['never']);
        await window.settle();
        window.show(['picture'], ['never']);
        await window.see('suspended');
        await window.settle();
        return window.calls.length;
      });
      assert.equal(calls, 0);
    });

    test('a server renders without touching anything, and the page takes that over', async () => {
      const folder = join(root, 'target', 'generations');
      const outfile = join(folder, `server-${version}.cjs`);
      await build({
        stdin: {
          contents: `
            import { createElement } from 'react';
            import { renderToString } from 'react-dom/server';
            import { createGenerations } from 'lemondata-wasm/generations';
            import { GenerationsProvider, useGeneration, useGenerations } from 'lemondata-wasm/react';
            export { createElement, renderToString, createGenerations, GenerationsProvider, useGeneration, useGenerations };`,
          resolveDir: root,
        },
        bundle: true,
        platform: 'node',
        format: 'cjs',
        alias: {
          react: join(tools, 'react'),
          'react-dom': join(tools, 'react-dom'),
          'lemondata-wasm': join(root, 'dist'),
        },
        outfile,
        logLevel: 'warning',
      });
      const { createElement, renderToString, ...ours } = createRequire(import.meta.url)(outfile);
      const touched = () => assert.fail('the server used the storage or the client');
      const untouchable = new Proxy({}, { get: touched });
      const store = ours.createGenerations({ client: untouchable, storage: untouchable });
      const Picture = () => {
        const generation = ours.useGeneration({ prompt: 'A lemon' });
        return createElement('p', null, generation?.phase ?? 'nothing', ' ', generation?.progress, ' ');
      };
      const List = () => createElement('p', null, ours.useGenerations().generations.length);
      const render = (Part, generations) =>
        renderToString(createElement(ours.GenerationsProvider, { generations }, createElement(Part)));
      assert.match(render(Picture, store), /nothing/);
      assert.match(render(List, store), /0/);
      assert.throws(
        () => render(Picture),
        /useGeneration and useGenerations need a GenerationsProvider above them/,
      );
      const Request = (request) => {
        ours.useGeneration({ prompt: 'A lemon', ...request }, { edit: true });
        return null;
      };
      const renderRequest = (request) =>
        renderToString(
          createElement(ours.GenerationsProvider, { generations: store }, createElement(Request, request)),
        );
      const url = 'data:image/png;base64,AAAA';
      for (const files of [
        { image: new Blob(['a']) },
        { image_urls: [url] },
        { mask: { image_url: url.toUpperCase() } },
      ])
        assert.throws(() => renderRequest(files), /useGeneration needs an id for a request with files/);
      // As the parsers of some query strings and GraphQL make them.
      renderRequest({ style: Object.create(null), image_url: 'https://x.test/1.png' });

      const hydrated = await serveSite(
        { '/page.js': join(folder, `react-${version}.js`) },
        page('<!--$--><p>nothing<!-- --> <!-- --> </p><!--/$-->'),
      );
      const other = await browser.open(hydrated.url);
      try {
        const seen = await other.run(async () => {
          await window.until(() => window.calls.length === 1);
          await window.see('sending');
          return window.mismatches;
        });
        assert.deepEqual(seen, []);
        await other.run(async () => {
          window.calls[0].done([{ url: 'https://x.test/1.png' }]);
          await window.see('done https://x.test/1.png');
          await window.settle();
        });
        await other.reload();
        const later = await other.run(async () => {
          await window.see('done https://x.test/1.png');
          return window.mismatches;
        });
        assert.deepEqual(later, [], 'what the journal brings comes after the first render');
      } finally {
        await other.close();
        await hydrated.close();
      }
    });
  });
}
