/** Prints what the app has come to. It runs behind the bundle. */

Promise.all([
  globalThis.result,
  globalThis.refused.catch(({ param }) => param),
  globalThis.aborted.catch(({ name }) => name),
]).then(
  ([result, refused, aborted]) => {
    const { requests } = globalThis;
    print(`RESULT ${JSON.stringify({ result, refused, aborted, requests, engine: typeof HermesInternal })}`);
  },
  (error) => print(`FAILED ${error} ${error.cause} ${error.stack}`),
);
