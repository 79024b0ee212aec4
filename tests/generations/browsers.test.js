/**
 * The store in real pages, with their own storage and locks: reloads, tabs that close, and a frame whose storage is
 * blocked. A tab is a frame here, since each engine has those: a document of its own, whose end frees its locks.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { root } from '../../scripts/lib/run.js';
import { BROWSERS, openBrowser } from '../helpers/browsers.js';
import { serveSite } from '../helpers/site.js';

const script = (origin = '') => `
  import { LemonData } from '${origin}/dist/index.js';
  import { createGenerations, syncTabs } from '${origin}/dist/generations.js';
  const query = new URLSearchParams(location.search);
  const client = new LemonData({
    baseUrl: '${origin}/api/lemondata',
    relay: query.has('relay'),
    headers: { 'x-tab': query.get('tab') ?? 'first' },
    pollInterval: { min: 20, max: 30 },
  });
  const generations = createGenerations({ client, sync: query.has('sync') ? syncTabs : undefined });
  generations.subscribe(() => {});
`;

const PAGE = `<!DOCTYPE html><title>Generations</title><script type="module">${script()}
  /** Waits until the newest generation is as it should be. */
  const see = async (phase) => {
    for (let waited = 0; generations.list()[0]?.phase !== phase; waited += 10) {
      if (waited > 20_000) throw new Error(\`never \${phase}: \${JSON.stringify(generations.list())}\`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const { error, images } = generations.list()[0];
    return { outcome: error?.outcome, url: images[0]?.url };
  };
  /** Opens another tab. */
  const open = async (query) => {
    const frame = document.createElement('iframe');
    frame.src = query;
    const loaded = new Promise((resolve) => frame.addEventListener('load', resolve));
    document.body.append(frame);
    await loaded;
    return { frame, ...frame.contentWindow.tab };
  };
  window.tab = { generations, see, open, start: () => generations.start({ prompt: 'A lemon' }) };
</script>`;

const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': '*',
};
const URL_OF_PICTURE = 'https://x.test/1.png';

/** What the relay has seen, and what it waits for. */
let relay;
let site;
before(async () => {
  site = await serveSite({ '/dist/': join(root, 'dist') }, PAGE, { api, headers: CORS });
});
after(() => site.close());
beforeEach(() => {
  relay = { keys: [], pollers: new Set(), answer: Promise.resolve(), isDone: false };
});

/** A relay that answers each key with the same task. */
async function api(c) {
  const { method } = c.req;
  if (method === 'OPTIONS') return c.body(null, 204);
  const task = { task_id: 'img_1', poll_url: '/v1/tasks/img_1' };
  if (method === 'POST') {
    relay.keys.push(c.req.header('idempotency-key'));
    await relay.answer;
    return c.json({ ...task, status: 'pending' });
  }
  relay.pollers.add(c.req.header('x-tab'));
  if (relay.isDone) return c.json({ ...task, status: 'completed', data: [{ url: URL_OF_PICTURE }] });
  return c.json({ ...task, status: 'processing' });
}

/** Holds the answers to creates until it is called. */
function holdCreates() {
  const { promise, resolve } = withResolvers();
  relay.answer = promise;
  return resolve;
}

async function until(holds) {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

for (const name of BROWSERS) {
  describe(`in ${name}`, { timeout: 120_000 }, () => {
    let browser;
    before(async () => {
      browser = await openBrowser(name);
    });
    after(() => browser.close());

    /** Acts in a fresh page. */
    async function inPage(query, act) {
      const page = await browser.open(`${site.url}/${query}`);
      try {
        // WebDriver may answer before the script of the page has run.
        await page.run(async () => {
          while (!window.tab) await new Promise((resolve) => setTimeout(resolve, 10));
        });
        await act({ ...page, see: (phase) => page.run((phase) => window.tab.see(phase), phase) });
      } finally {
        await page.close();
      }
    }
    const start = () => window.tab.start();

    test('a reload in the middle of a wait goes on waiting', async () => {
      await inPage('', async (page) => {
        await page.run(start);
        await page.see('waiting');
        await page.reload();
        await page.see('waiting');
        relay.isDone = true;
        assert.equal((await page.see('done')).url, URL_OF_PICTURE);
        await page.reload();
        assert.equal((await page.see('done')).url, URL_OF_PICTURE, 'the picture outlives a reload');
      });
      assert.equal(relay.keys.length, 1);
    });

    test('a reload in the middle of a create gets its answer from the relay', async () => {
      const answer = holdCreates();
      await inPage('?relay', async (page) => {
        await page.run(start);
        await until(() => relay.keys.length === 1);
        await page.reload();
        await until(() => relay.keys.length === 2);
        answer();
        relay.isDone = true;
        await page.see('done');
      });
      assert.ok(relay.keys[0]);
      assert.equal(new Set(relay.keys).size, 1);
    });

    test('without a relay it sends nothing, and says that the outcome is unknown', async () => {
      const answer = holdCreates();
      await inPage('', async (page) => {
        await page.run(start);
        await until(() => relay.keys.length === 1);
        await page.reload();
        assert.equal((await page.see('failed')).outcome, 'unknown');
      });
      answer();
      assert.equal(relay.keys.length, 1);
    });

    test('a tab goes on when the one that waited is closed', async () => {
      await inPage('?relay&tab=second', async (page) => {
        await page.run(async () => {
          window.first = await window.tab.open('?relay');
          window.first.start();
          await window.first.see('waiting');
        });
        await until(() => relay.pollers.has('first'));
        // The first one goes with the page that holds it.
        await page.reload();
        await page.see('waiting');
        await until(() => relay.pollers.has('second'));
        await page.run(async () => {
          window.third = await window.tab.open('?relay&tab=third');
          await window.third.see('waiting');
        });
        await page.run(() => window.tab.generations.pause(window.tab.generations.list()[0].id));
        await until(() => relay.pollers.has('third'));
        relay.pollers.clear();
        await page.run(() => {
          window.tab.generations.resume(window.tab.generations.list()[0].id);
          window.third.frame.remove();
        });
        await until(() => relay.pollers.has('second'));
        relay.isDone = true;
        await page.see('done');
      });
      assert.equal(relay.keys.length, 1);
    });

    test('tabs that are open together leave the work to one of them', async () => {
      await inPage('', async (page) => {
        await page.run(start);
        await page.see('waiting');
        await page.run(async () => {
          window.second = await window.tab.open('?tab=second');
          await window.second.see('waiting');
        });
        relay.isDone = true;
        await page.see('done');
        await page.run(() => window.second.see('done'));
      });
      assert.deepEqual([...relay.pollers], ['first']);
      assert.equal(relay.keys.length, 1);
    });

    test('tabs in step show what one of them starts, and stop together', async () => {
      await inPage('?sync', async (page) => {
        await page.run(async () => {
          window.second = await window.tab.open('?sync&tab=second');
          window.tab.start();
          await window.second.see('waiting');
        });
        await page.run(() => window.second.generations.stop(window.second.generations.list()[0].id));
        await page.see('stopped');
      });
      assert.equal(relay.pollers.has('second'), false);
      assert.equal(relay.keys.length, 1);
    });

    test('blocked storage and locks lose nothing', async () => {
      relay.isDone = true;
      const content = `<script type="module">${script(site.url)}
        const seen = {};
        try { seen.storage = typeof localStorage; } catch { seen.storage = 'blocked'; }
        generations.subscribe(([generation]) => {
          if (generation?.endedAt) parent.postMessage({ ...seen, phase: generation.phase }, '*');
        });
        generations.start({ prompt: 'A lemon' });
      </script>`;
      await inPage('', async (page) => {
        const seen = await page.run(async (content) => {
          const frame = document.createElement('iframe');
          frame.sandbox = 'allow-scripts';
          frame.srcdoc = content;
          const message = new Promise((resolve) => addEventListener('message', resolve, { once: true }));
          document.body.append(frame);
          return (await message).data;
        }, content);
        assert.deepEqual(seen, { storage: 'blocked', phase: 'done' });
      });
      assert.equal(relay.keys.length, 1);
    });
  });
}

/** As of Node 22 there is one of `Promise`. */
function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve) => {
    made.resolve = resolve;
  });
  return made;
}
