/** A worker as a user writes it: the key in its environment, one client for all requests. */

import { generate, LemonData, TaskFailedError, waitForTask } from 'lemondata-wasm';

let client;

/** A call that comes too early: a worker may send nothing before its first event. */
const early = generate({ prompt: 'too early' }, { apiKey: 'sk-1' }).catch(({ kind, outcome, message }) => ({
  kind,
  outcome,
  message,
}));

export default {
  async fetch(request, env) {
    client ??= new LemonData({ apiKey: env.KEY, baseUrl: env.BASE_URL, pollInterval: { min: 5, max: 10 } });
    const { pathname, searchParams } = new URL(request.url);
    const imageRequest = {
      prompt: searchParams.get('prompt'),
      model: searchParams.get('model') ?? undefined,
    };
    try {
      if (pathname === '/inline') return Response.json(await client.generate(imageRequest));
      if (pathname === '/early') return Response.json(await early);
      if (pathname === '/task') {
        const updates = [];
        const task = await client.generate(imageRequest);
        const done = await client.waitForTask(task, { onUpdate: ({ status }) => updates.push(status) });
        return Response.json({ task, done, updates });
      }
      if (pathname === '/wait') {
        let polls = 0;
        const onResponse = () => {
          polls += 1;
        };
        const { status } = await client.waitForTask(searchParams.get('id'), { onResponse });
        return Response.json({ status, polls });
      }
      if (pathname === '/plain') {
        const options = { apiKey: env.KEY, baseUrl: env.BASE_URL, pollInterval: { min: 5, max: 10 } };
        return Response.json(await waitForTask(await generate(imageRequest, options), options));
      }
      if (pathname === '/ended') {
        let isSent = false;
        const send = (...args) => {
          isSent = true;
          return fetch(...args);
        };
        const call = client.generate(imageRequest, { fetch: send });
        for (let turn = Number(searchParams.get('turn')); turn > 0 && !isSent; turn -= 1) await null;
        if (!isSent) process.exit(1);
        return Response.json(await call);
      }
      return new Response('not found', { status: 404 });
    } catch (error) {
      return Response.json(
        { ...error.toJSON(), isTaskFailed: error instanceof TaskFailedError },
        { status: 502 },
      );
    }
  },
};
