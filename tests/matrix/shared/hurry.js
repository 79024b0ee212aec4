/**
 * Makes the seconds between two polls milliseconds, for samples that have no `pollInterval`. Time-outs, which are
 * longer, stay as they are. With `SCENARIO`, creates ask the server for that scenario, whatever the sample's model does.
 */

const { fetch: send, setTimeout: original } = globalThis;
globalThis.setTimeout = (work, ms, ...more) =>
  original(work, ms >= 1000 && ms <= 5000 ? ms / 1000 : ms, ...more);

const scenario = process.env.SCENARIO;
if (scenario) {
  globalThis.fetch = (url, { headers, ...init } = {}) => {
    const all = new Headers(headers);
    if (init.method === 'POST') all.set('x-lemon-scenario', scenario);
    return send(url, { ...init, headers: all });
  };
}
