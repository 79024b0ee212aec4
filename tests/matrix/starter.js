/** What the cells of the starters have in common. */

import { writeFileSync } from 'node:fs';

const RELAY_SECRET = 'a secret of the tests, of 32 characters';

/**
 * Opens the page of a starter, draws a picture, and sees that it is paid for once.
 *
 * @param {import('./project.js').Project} project
 * @param {string} url
 */
export async function draw(project, url) {
  const page = await project.open(url);
  try {
    await page.until(() => {
      const isIdle = document.querySelector('[role=status]')?.textContent === '';
      // Nothing happens before the framework has taken over. A real click would send the form to the server.
      if (isIdle && !document.querySelector('img')) {
        const submit = new SubmitEvent('submit', { bubbles: true, cancelable: true });
        document.querySelector('form').dispatchEvent(submit);
      }
      return document.querySelector('img')?.naturalWidth || undefined;
    });
  } finally {
    await page.close();
  }
  project.paidOnce();
}

/** Writes the secrets of a starter, and the address of the server, into a file of its own. */
export function writeSecrets({ path, server }, file) {
  const secrets = { LEMONDATA_API_KEY: server.apiKey, LEMONDATA_BASE_URL: server.url, RELAY_SECRET };
  const lines = Object.entries(secrets).map(([name, value]) => `${name}="${value}"\n`);
  writeFileSync(path(file), lines.join(''));
}
