/** Makes inline calls with one client, and reports their processor time. */

import { API_KEY } from '../key.js';

const [file, url] = process.argv.slice(2);
const { connect } = await import(file);
const { inline } = connect(url, API_KEY);

process.on('message', async (/** @type {{ calls: number }} */ { calls }) => {
  const before = process.cpuUsage();
  for (let call = 0; call < calls; call += 1) await inline();
  const { user, system } = process.cpuUsage(before);
  process.send({ microseconds: (user + system) / calls });
});
process.on('disconnect', () => process.exit());
