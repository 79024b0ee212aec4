/** Imports one client, makes its first call, and reports its start by the clock of the machine. */

import { API_KEY } from '../key.js';

const [file, url] = process.argv.slice(2);
const began = Number(process.hrtime.bigint()) / 1e6;
const { connect } = await import(file);
await connect(url, API_KEY).inline();
process.send({ began }, () => process.exit());
