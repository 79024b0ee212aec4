/** What Vercel makes of the file of a function. */

import handler from './sample/lemon.js';

addEventListener('fetch', (event) => event.respondWith(handler(event.request)));
