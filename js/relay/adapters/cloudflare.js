/**
 * For a Cloudflare worker: `export default toCloudflare((env) => createRelay({ … }))`. The first request makes the
 * relay; another environment makes another relay.
 */
export function toCloudflare(make) {
  if (typeof make !== 'function') {
    throw new TypeError('toCloudflare takes a function: toCloudflare((env) => createRelay({ … })).');
  }
  let relay;
  let madeFor;
  return {
    fetch(request, env, context) {
      if (!relay || madeFor !== env) {
        relay = make(env);
        madeFor = env;
      }
      return relay(request, context);
    },
  };
}
