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
  const isMade = (env) => relay && isSameEnv(madeFor, env);
  return {
    async fetch(request, env, context) {
      if (!isMade(env)) {
        // A secret may have to be fetched. No request may wait for another's promise, so each makes a relay meanwhile.
        const made = await make(env);
        if (!isMade(env)) [relay, madeFor] = [made, env];
      }
      return relay(request, context);
    },
  };
}

/**
 * Whether two environments hold the same. Tools that trace a worker wrap its environment, and some of its bindings, anew
 * for each request. A relay for each request would forget what the one before has counted and stored.
 */
function isSameEnv(one, other) {
  if (one === other) return true;
  const names = Object.keys(Object(one));
  return (
    names.length === Object.keys(Object(other)).length &&
    names.every((name) => Object.hasOwn(Object(other), name) && isSameValue(one[name], other[name]))
  );
}

/** What variables of JSON are made of. */
const PLAIN = [Object.prototype, Array.prototype];

/** Of the platform's bindings, one name is one binding. All else is the same if it is identical, such as a test's. */
function isSameValue(one, other) {
  if (one === other) return true;
  if (!isObject(one) || !isObject(other)) return false;
  const kind = Object.getPrototypeOf(one);
  return kind === Object.getPrototypeOf(other) && !PLAIN.includes(kind) && isNative(kind?.constructor);
}

const isObject = (value) => typeof value === 'object' && value !== null;
const isNative = (value) =>
  typeof value === 'function' && Function.prototype.toString.call(value).includes('[native code]');
