/** The relays in a worker, and what a test wants to know of it. */

import { toCloudflare } from 'lemondata-wasm/relay';
import { lineOf } from './lines.js';
import { makeRelays } from './relays.js';

const lines = [];

export default toCloudflare((env) => {
  const relay = makeRelays(env, (event) => lines.push(lineOf(event)));
  return (request, context) => {
    const { pathname } = new URL(request.url);
    if (pathname === '/inside') return Response.json({ lines, inherited: inheritedOf({}) });
    return relay(request, context);
  };
});

/** The fields that an object has inherited. */
function inheritedOf(object) {
  const names = [];
  for (const name in object) names.push(name);
  return names;
}
