/**
 * Stops a task at a point of its life until the test lets it go on. The prompt names the point, or the user where there
 * is no prompt yet; an edit's has `edit ` before it.
 */

/**
 * @param {Record<string, any>} env `CONTROL` is a server of the test, which answers when a task may go on
 * @returns {object} settings of a `TaskHub`
 */
export function createHolds(env) {
  /** The prompt of this object's task, once it has been sent. */
  let prompt;
  const hold = async (point, name) => {
    if (name === point || name === `edit ${point}`) await fetch(`${env.CONTROL}/${name}`);
  };

  return {
    async fetch(url, init) {
      const isCreate = init.method === 'POST';
      const { body } = init;
      if (isCreate) prompt = body instanceof FormData ? body.get('prompt') : JSON.parse(body).prompt;
      await hold(isCreate ? 'sending' : 'poll begun', prompt);
      const response = await fetch(url, init);
      await hold(isCreate ? 'answered' : 'poll answered', prompt);
      return response;
    },

    limiter: env.LEMONDATA_PER_MINUTE && {
      idFromName: () => undefined,
      get: () => ({
        async admit(ticket, identity, kind) {
          await hold('before its admission', identity);
          const id = env.LIMITER.idFromName(identity.startsWith('narrow') ? 'narrow' : 'wide');
          const admission = await env.LIMITER.get(id).admit(ticket, identity, kind);
          await hold('admitted', identity);
          return admission;
        },
        pause() {},
      }),
    },

    pictures: env.KEEPS && {
      head: (name) => env.PICTURES.head(name),
      list: (options) => env.PICTURES.list(options),
      async put(name, ...more) {
        await hold('before a picture', prompt);
        await env.PICTURES.put(name, ...more);
        await hold('after a picture', prompt);
      },
      async delete(names) {
        if (env.HOLDS_DELETE) await fetch(`${env.CONTROL}/deleting`);
        await env.PICTURES.delete(names);
        if (env.HOLDS_DELETE) await fetch(`${env.CONTROL}/deleted`);
      },
    },
  };
}
