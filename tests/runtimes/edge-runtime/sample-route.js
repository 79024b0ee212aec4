/** What Vercel makes of the file of a function, and the page that calls it. */

import handler from './sample/lemon.js';

const FUNCTION = 'http://route/api/lemon';

addEventListener('fetch', (event) => event.respondWith(draw()));

async function draw() {
  const call = async (url, init) => (await handler(new Request(url, init))).json();
  const first = await call(FUNCTION, { method: 'POST', body: JSON.stringify({ prompt: 'A lemon' }) });
  let last = first;
  while (last.status !== 'completed') {
    await new Promise((resolve) => setTimeout(resolve, 50));
    last = await call(`${FUNCTION}?task=${first.task_id}`);
  }
  return Response.json({ first, last });
}
