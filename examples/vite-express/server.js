/** The server: a relay that holds the key, and the page as Vite has built it. */

import express from 'express';
import { anonymousByIp, createRelay, toNodeHandler } from 'lemondata-wasm/relay';

const { LEMONDATA_API_KEY, LEMONDATA_BASE_URL, RELAY_SECRET, PORT = '3000' } = process.env;

const relay = createRelay({
  apiKey: LEMONDATA_API_KEY,
  baseUrl: LEMONDATA_BASE_URL, // undefined: the real service
  secret: RELAY_SECRET,
  // Everybody may call, within the limits of their address, and all of them spend your balance. If you know your users,
  // return the id of the signed-in one.
  authorize: anonymousByIp(),
  models: ['gpt-image-2'],
});

const app = express();
app.use('/api/lemondata', toNodeHandler(relay)); // before body parsers
app.use(express.static('dist'));
app.listen(Number(PORT));
