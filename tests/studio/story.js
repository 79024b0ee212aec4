/**
 * A person at the studio in each of the three browsers, against real servers of their own. A task lasts until the test
 * advances the server's clock; polls follow each other quickly.
 */

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, afterEach, before, describe } from 'node:test';
import { PNG } from 'pngjs';
import { servePage } from '../../scripts/lib/serve-page.js';
import { BROWSERS, openBrowser } from '../helpers/browsers.js';
import { startServer } from '../server/index.js';
import { atRest } from './at-rest.js';
import { KEY, screenshotPath } from './studio.js';

/** Ends a test that hangs. */
export const GUARD = { timeout: 300_000 };
export const TASK_MS = 30_000;

/** A picture of one colour, as it travels into a page. */
export function plainPicture(red, green = red, blue = red) {
  const png = new PNG({ width: 32, height: 32 });
  for (let offset = 0; offset < png.data.length; offset += 4) png.data.set([red, green, blue, 255], offset);
  return PNG.sync.write(png).toString('base64');
}

/** Defines in the page the actions of a person, as `story`. */
function prepare() {
  const named = (element) => (element.getAttribute('aria-label') ?? element.textContent).trim();
  const find = (name, within) =>
    [...document.querySelectorAll(`${within} :is(button, a, summary)`)].find(
      (element) => element.checkVisibility() && !element.disabled && named(element).startsWith(name),
    );
  const story = {
    /** What no story may cause. */
    problems: [],
    /** Every state that the newest card has shown. */
    states: [],
    /** The files that the page has saved. */
    downloads: [],
    async until(holds, description = `${holds}`) {
      if (await story.soon(holds, 120_000)) return;
      const shown = (document.querySelector('dialog[open]') ?? document.getElementById('main')).innerText;
      throw new Error(`never seen: ${description}; but: ${shown.replace(/\s+/g, ' ').slice(-900)}`);
    },
    /** Whether it holds within a time. */
    async soon(holds, ms = 5000) {
      // Timers of a page in the background come once a second.
      for (const end = performance.now() + ms; !(await holds()); ) {
        if (performance.now() > end) return false;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return true;
    },
    ready: () => story.until(() => !document.getElementById('feed').ariaBusy, 'it is ready'),
    element: (selector) => document.querySelector(selector),
    text: (selector) => document.querySelector(selector)?.textContent.trim().replace(/\s+/g, ' ') ?? '',
    value: (id) => document.getElementById(id).value,
    fill(id, text) {
      const field = document.getElementById(id);
      field.value = text;
      for (const type of ['input', 'change']) field.dispatchEvent(new Event(type, { bubbles: true }));
    },
    /** Presses a control that begins with this name, as soon as it is there. */
    async press(name, within = 'body') {
      await story.until(() => find(name, within), `a button ${name}`);
      find(name, within).click();
    },
    has: (name, within = 'body') => Boolean(find(name, within)),
    key(target, key, more = {}) {
      target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more }));
    },
    async generate(model, prompt, more = {}) {
      const { length } = document.querySelectorAll('.card');
      story.states.length = 0;
      for (const [id, text] of Object.entries({ model, prompt, size: '512x512', ...more }))
        story.fill(id, text);
      await story.press('Generate');
      await story.until(() => document.querySelectorAll('.card').length > length, 'a card');
    },
    filesOf(files) {
      const transfer = new DataTransfer();
      for (const [name, base64] of Object.entries(files)) {
        const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
        transfer.items.add(new File([bytes], name, { type: 'image/png' }));
      }
      return transfer;
    },
    /** Chooses files, as a dialog of the browser would: no driver opens one. */
    pick(id, files) {
      const input = document.getElementById(id);
      input.files = story.filesOf(files).files;
      for (const type of ['input', 'change']) input.dispatchEvent(new Event(type, { bubbles: true }));
    },
    /** Drops files: no driver drags one out of another program. */
    drop(selector, files) {
      for (const type of ['dragover', 'drop']) {
        const options = { bubbles: true, cancelable: true, dataTransfer: story.filesOf(files) };
        document.querySelector(selector).dispatchEvent(new DragEvent(type, options));
      }
    },
    /** Pastes files: no driver fills the clipboard of all three browsers. */
    paste(selector, files) {
      const event = new ClipboardEvent('paste', { bubbles: true, cancelable: true });
      // Firefox takes no data from a script.
      Object.defineProperty(event, 'clipboardData', { value: story.filesOf(files) });
      document.querySelector(selector).dispatchEvent(event);
    },
    /** The code of the newest card for Node. */
    async code() {
      document.querySelector('.card .code').click();
      await story.until(() => document.getElementById('tab-node'), 'the code');
      document.getElementById('tab-node').click();
      const { textContent } = document.getElementById('code-text');
      await story.press('Close', '#code');
      return textContent;
    },
    state: () => story.text('.card .state'),
    see: (words) => story.until(() => story.state().startsWith(words), words),
    /** The widths of pictures, once they are on the screen. */
    async widths(selector, count) {
      const images = () => [...document.querySelectorAll(`${selector} img[src]`)];
      await story.until(() => images().length >= count, `${count} pictures`);
      const shown = images();
      await Promise.all(shown.map((image) => image.decode()));
      return shown.map(({ naturalWidth }) => naturalWidth);
    },
    /** The widths of the pictures of the newest card. */
    pictures: (count = 1) => story.widths('.card:first-child', count),
    /** An entry of the page's store of tasks. */
    async stored(key) {
      const opening = indexedDB.open('lemondata-studio');
      const db = await new Promise((resolve) => {
        opening.onsuccess = () => resolve(opening.result);
      });
      const reading = db.transaction('tasks').objectStore('tasks').get(key);
      const entry = await new Promise((resolve) => {
        reading.onsuccess = () => resolve(reading.result);
      });
      db.close();
      return entry;
    },
    count: () => Number(document.getElementById('gallery-count').textContent),
    /** A downloaded file, once it is there. */
    async download(number) {
      await story.until(() => story.downloads.length > number, 'a download');
      const { name, blob } = story.downloads[number];
      const reader = new FileReader();
      const read = new Promise((resolve) => reader.addEventListener('load', resolve, { once: true }));
      reader.readAsDataURL(blob);
      await read;
      return { name, base64: reader.result.split(',')[1] };
    },
    /** A point of an element in the window, in shares of its size. */
    point(element, across = 0.5, down = 0.5) {
      element.scrollIntoView({ block: 'nearest' });
      const { left, top, width, height } = element.getBoundingClientRect();
      return [Math.round(left + width * across), Math.round(top + height * down)];
    },
  };

  // A headless browser has no place for downloads that a test could read in all three.
  const { createObjectURL } = URL;
  const blobs = new Map();
  URL.createObjectURL = (blob) => {
    const url = createObjectURL(blob);
    blobs.set(url, blob);
    return url;
  };
  const { click } = HTMLElement.prototype;
  HTMLAnchorElement.prototype.click = function () {
    if (this.download) story.downloads.push({ name: this.download, blob: blobs.get(this.href) });
    else click.call(this);
  };

  new MutationObserver(() => {
    const words = story.state().replace(/ (in|\d).*$/, '');
    if (words && story.states.at(-1) !== words) story.states.push(words);
  }).observe(document.getElementById('cards'), { childList: true, subtree: true, characterData: true });
  addEventListener('securitypolicyviolation', ({ effectiveDirective }) =>
    story.problems.push(effectiveDirective),
  );
  addEventListener('error', ({ message }) => {
    // It is none: what is left comes with the next frame.
    if (!/^ResizeObserver loop/.test(message)) story.problems.push(message);
  });
  addEventListener('unhandledrejection', ({ reason }) => story.problems.push(`${reason}`));
  window.story = story;
}

class Person {
  #name;
  #prepare;
  #browser;
  #page;
  #clock = Date.UTC(2026, 0, 1);

  /**
   * @param {string} name of the browser
   * @param {() => void} more what else to define in the page
   */
  constructor(name, more) {
    this.#name = name;
    this.#prepare = more;
  }

  async arrive() {
    this.server = await startServer({ apiKey: KEY, taskMs: TASK_MS, now: () => this.#clock, retryAfter: 0 });
    await this.serve();
    this.#browser = await openOne(this.#name);
    this.#page = await this.#browser.open(this.served.url);
    await this.#begin();
  }

  async leave() {
    await this.#browser?.close();
    await this.served?.close();
    await this.server?.close();
  }

  /** Serves the page, at the same address as before. */
  async serve() {
    this.served = await servePage({
      upstream: { url: this.server.url, key: KEY },
      pollInterval: { min: 40, max: 60 },
      port: this.served?.port,
    });
  }

  async #begin() {
    await this.run(prepare);
    await this.run(this.#prepare);
    await this.run(() => window.story.ready());
  }

  /** Runs a function in the page, where `story` has the actions of the person. */
  run(work, argument) {
    return this.#page.run(work, argument);
  }

  /** The keyboard and the mouse. */
  get input() {
    return this.#page.input;
  }

  /** A point of an element in the window, in shares of its size. */
  point(selector, across, down) {
    return this.run(
      ([text, ...shares]) => window.story.point(document.querySelector(text), ...shares),
      [selector, across, down].filter((each) => each !== undefined),
    );
  }

  async click(selector) {
    await this.input.click(await this.point(selector));
  }

  async reload() {
    await this.run(atRest);
    await this.#page.reload();
    await this.#begin();
  }

  /** Moves the server's clock. */
  advance(ms) {
    this.#clock += ms;
  }

  /** Goes to the form, and clears cards, tasks and counts; the gallery stays. */
  async fresh() {
    await this.run(async () => {
      const { story } = window;
      for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
      if (document.querySelector('nav [aria-current]').dataset.view !== 'create') await story.press('Create');
      if (document.querySelector('.card')) await story.press('Clear finished');
      for (const id of ['pictures', 'mask']) story.pick(id, {});
      await story.until(() => !document.querySelector('.card'), 'no card');
    });
    this.server.reset();
  }

  /** Writes a screenshot where one is wanted. */
  async look(title) {
    const path = screenshotPath(`${this.#name}-${title}`);
    if (!path) return;
    // The document is painted a frame later.
    await this.run(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 60))));
    await writeFile(path, await this.#page.screenshot());
  }

  /** The creates that the server received, edits included. */
  creates() {
    return this.server.counts.requests.filter(({ method }) => method === 'POST');
  }

  /** Checks the promises that hold in every story. */
  async check() {
    assert.equal(this.server.counts.keyLeaks, 0);
    assert.deepEqual(await this.run(() => window.story.problems.splice(0)), []);
  }
}

/** Browsers start one after the other: three at once take longer than the drivers wait on a busy machine. */
let starting = Promise.resolve();
function openOne(name) {
  const opening = starting.then(() => openBrowser(name));
  starting = opening.then(
    () => {},
    () => {},
  );
  return opening;
}

/**
 * Tells the same stories in the three browsers at the same time, each with its own servers.
 *
 * @param {(person: Person) => void} tell declares the tests of one browser, which share a page
 * @param {() => void} [more] what else to define in the page
 */
export function tellStories(tell, more = () => {}) {
  describe('a person', { concurrency: BROWSERS.length }, () => {
    // WebKit is the slowest, so it begins.
    for (const name of BROWSERS.toReversed()) {
      describe(`in ${name}`, { concurrency: 1 }, () => {
        const person = new Person(name, more);
        before(() => person.arrive());
        after(() => person.leave());
        afterEach(() => person.check());
        tell(person);
      });
    }
  });
}
