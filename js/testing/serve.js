/** The service behind HTTP, in Node and in what has Node's `http`. */

import { readBody } from './body.js';

/** This machine alone. */
const HOST = '127.0.0.1';

/**
 * A module of Node. Its name is no literal, so that no bundler for pages looks for it.
 *
 * @param {string} name
 * @returns {Promise<any>}
 */
async function builtin(name) {
  const { process } = globalThis;
  if (!process?.versions?.node) {
    throw new TypeError(
      'serve() of lemondata-wasm/testing listens on a port, which Node, Deno and Bun can. ' +
        'Elsewhere, pass the `fetch` of mockService() to the client.',
    );
  }
  // Where tests run in a sandbox without `import()`, such as Jest's, there is the first way alone.
  return process.getBuiltinModule?.(name) ?? import(/* webpackIgnore: true */ /* @vite-ignore */ name);
}

/**
 * Listens on a port.
 *
 * @param {import('./service.js').Service} service
 * @param {number} [port] 0 is any free one
 * @param {string} [host] missing or empty: this machine alone
 * @returns {Promise<{ url: string, port: number, close: () => Promise<void> }>}
 */
export async function listen(service, port = 0, host = '') {
  const { createServer } = await builtin('node:http');
  const server = createServer((incoming, outgoing) => {
    // What another machine called leads here. On this machine alone, it may be the name of a page that a proxy passes on.
    answer(service, incoming, outgoing, host ? `http://${incoming.headers.host}` : url);
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    // An empty host, as of a variable that is not set, would be every address.
    server.listen(port, host || HOST, resolve);
  });
  const { port: actual } = server.address();
  // Zeros stand for every address. None of them is one to call.
  const name = /^[0.:]*$/.test(host) ? HOST : host.includes(':') ? `[${host}]` : host;
  const url = `http://${name}:${actual}`;
  return {
    url,
    port: actual,
    close: () =>
      new Promise((resolve) => {
        service.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * @param {import('./service.js').Service} service
 * @param {import('node:http').IncomingMessage} incoming
 * @param {import('node:http').ServerResponse} outgoing
 * @param {string} url what the addresses of pictures begin with
 */
async function answer(service, incoming, outgoing, url) {
  const { method = '', url: path = '', socket } = incoming;
  // The one header that Node lists, `set-cookie`, is no request's.
  const headers = /** @type {Record<string, string | undefined>} */ (incoming.headers);
  let bytes;
  try {
    bytes = await readBody(headers['content-type'], incoming);
  } catch {
    service.counts.aborted += 1;
    return;
  }
  let isBroken = false;
  outgoing.on('close', () => {
    // A reply that breaks the connection on purpose is not the client's doing.
    if (!outgoing.writableFinished && !isBroken) {
      service.counts.aborted += 1;
    }
  });
  let reply;
  try {
    reply = await service.handle({ method, path, headers, bytes, url });
  } catch (error) {
    // The caller's own `onRequest` or `log` has failed. Nobody must wait for an answer that will not come.
    console.error(error);
    isBroken = true;
    socket.destroy();
    return;
  }
  const { status, headers: answerHeaders, body, fault } = reply;
  if (fault === 'hang') {
    return;
  }
  isBroken = fault !== undefined;
  if (fault === 'reset') {
    socket.resetAndDestroy();
    return;
  }
  outgoing.writeHead(status, Object.fromEntries(answerHeaders));
  if (fault === 'cut') {
    outgoing.write(body, () => outgoing.destroy());
  } else {
    outgoing.end(body ?? undefined);
  }
}
