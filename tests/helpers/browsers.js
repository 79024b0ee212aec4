/** A real browser of each of the three engines, and one way to use them all: open a page, run a function in it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import puppeteer from 'puppeteer-core';
import { Builder } from 'selenium-webdriver';
import { DriverService } from 'selenium-webdriver/remote/index.js';
import { ensureChromium, ensureFirefox, ensureWebKit } from '../../scripts/lib/setup.js';
import { driverInput, pageInput } from './input.js';

/**
 * @typedef {object} Page
 * @property {<A, R>(work: (argument: A) => R | Promise<R>, argument?: A) => Promise<R>} run runs a function in the
 *   page, which sees nothing of where it was written; its argument and its result travel as JSON. Several may
 *   run at once, for three minutes each. Where it throws, this rejects with an `Error` that names the other one and its message
 * @property {import('./input.js').Input} input
 * @property {() => Promise<unknown>} reload loads the page again, which keeps its storage
 * @property {() => Promise<Uint8Array>} screenshot what is seen of the page, as a PNG
 * @property {() => Promise<void>} close
 */

/**
 * @typedef {object} Browser
 * @property {(url: string) => Promise<Page>} open opens a page that shares no storage with any other, and waits
 *   until it has loaded
 * @property {() => Promise<void>} close closes its pages, too
 */

/** The names of the engines. */
export const BROWSERS = ['chromium', 'firefox', 'webkit'];

/**
 * Starts a browser, headless, and installs it first where it is missing.
 *
 * @param {'chromium' | 'firefox' | 'webkit'} name
 * @returns {Promise<Browser>}
 */
export const openBrowser = (name) => OPEN[name]();

/** How long a function may run: the default of the others, and six times that of WebDriver. */
const SCRIPT_MS = 180_000;

/** How long a browser may take to start, and a page to load, on a busy machine. */
const PATIENCE_MS = 120_000;

/** It is there in one to three seconds, and in ten on a busy machine. */
const WEBKIT_START_MS = 60_000;
const WEBKIT_ATTEMPTS = 3;

const OPEN = { chromium: openChromium, firefox: openFirefox, webkit: openWebKit };

/**
 * Makes `run` from an engine's way to evaluate an expression. What travels is text of our own making, since each
 * driver has other ideas of `undefined`, of errors and of the order of fields.
 *
 * @param {(script: string) => Promise<string>} evaluate waits for the promise that the script is
 * @returns {Page['run']}
 */
const runs = (evaluate) => async (work, argument) => {
  const json = argument === undefined ? '' : JSON.stringify(argument);
  const script = `(async () => JSON.stringify({ value: await (${work})(${json}) }))()
    .catch((error) => JSON.stringify({ error: String(error) }))`;
  const { value, error } = JSON.parse(await evaluate(script));
  if (error !== undefined) throw new Error(error);
  return value;
};

/**
 * Starts Chromium for Playwright.
 *
 * @param {string[]} [args]
 */
export const launchChromium = (args = []) =>
  chromium.launch({
    executablePath: ensureChromium().chromium,
    timeout: PATIENCE_MS,
    args: [
      ...args,
      // Debian's Chromium paints as for a graphics card, which the processor then has to imitate.
      '--disable-gpu-rasterization',
      // The sandbox of Chromium refuses to run as root.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ],
  });

async function openChromium() {
  const browser = await launchChromium();
  return {
    async open(url) {
      const page = await browser.newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      await page.goto(url);
      return {
        run: runs((script) => page.evaluate(script)),
        input: pageInput(page, (mouse, by) => mouse.wheel(0, by)),
        reload: () => page.reload(),
        screenshot: () => page.screenshot(),
        close: () => page.close(),
      };
    },
    close: () => browser.close(),
  };
}

/** Over WebDriver BiDi, since Playwright drives only a Firefox of its own making. */
async function openFirefox() {
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: ensureFirefox().firefox,
    timeout: PATIENCE_MS,
    // The timers of all pages but the last one would otherwise be slowed down to one second.
    extraPrefsFirefox: {
      'dom.min_background_timeout_value': 4,
      'dom.min_background_timeout_value_without_budget_throttling': 4,
    },
  });
  return {
    async open(url) {
      const context = await browser.createBrowserContext();
      const page = await context.newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      await page.goto(url);
      return {
        run: runs((script) => page.evaluate(script)),
        input: pageInput(page, (mouse, deltaY) => mouse.wheel({ deltaY })),
        reload: () => page.reload(),
        screenshot: () => page.screenshot(),
        close: () => context.close(),
      };
    },
    close: () => browser.close(),
  };
}

/** WebKitGTK needs a display even so, and its driver opens one browser at a time. */
async function openWebKit() {
  const { driver, xvfb } = ensureWebKit();
  const display = await openDisplay(xvfb);
  const pages = new Set();
  return {
    async open(url) {
      const page = await openWebKitPage(driver, display.name, url);
      pages.add(page);
      return page;
    },
    async close() {
      await Promise.all([...pages].map((page) => page.close()));
      await display.close();
    },
  };
}

/** On a busy machine, a browser may end before its driver has found it, which then waits for ever: one in a hundred. */
async function startWebKit(driver, display) {
  for (let left = WEBKIT_ATTEMPTS - 1; ; left -= 1) {
    const service = new DriverService.Builder(driver)
      .setHostname('127.0.0.1')
      .setEnvironment({ ...process.env, DISPLAY: display })
      .build();
    const starting = service
      .start()
      .then((address) =>
        new Builder().usingServer(address).withCapabilities({ browserName: 'MiniBrowser' }).build(),
      );
    try {
      const session = await Promise.race([starting, sleep(WEBKIT_START_MS, undefined, { ref: false })]);
      if (!session) throw new Error(`WebKit has not started within ${WEBKIT_START_MS} ms.`);
      return { service, session };
    } catch (error) {
      await service.kill();
      if (left === 0) throw error;
    }
  }
}

async function openWebKitPage(driver, display, url) {
  const { service, session } = await startWebKit(driver, display);
  let closed;
  const close = async () => {
    await session.quit();
    await service.kill();
  };
  try {
    await session.manage().setTimeouts({ script: SCRIPT_MS });
    await session.get(url);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    run: runs((script) => session.executeAsyncScript(`${script}.then(arguments[0])`)),
    input: driverInput(session),
    reload: () => session.navigate().refresh(),
    screenshot: async () => Buffer.from(await session.takeScreenshot(), 'base64'),
    close() {
      closed ??= close();
      return closed;
    },
  };
}

/** A virtual display. Xvfb chooses a free number and prints it. */
async function openDisplay(xvfb) {
  const server = spawn(xvfb, ['-displayfd', '3', '-nolisten', 'tcp', '-screen', '0', '1280x900x24'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const kill = () => server.kill();
  process.once('exit', kill);
  const ended = once(server, 'exit');
  const number = await Promise.race([
    once(createInterface({ input: server.stdio[3] }), 'line'),
    ended.then(([code]) => Promise.reject(new Error(`${xvfb} ended with ${code}`))),
  ]);
  return {
    name: `:${number}`,
    async close() {
      process.off('exit', kill);
      kill();
      await ended;
    },
  };
}
