/** Frameworks of Node whose parsers read a body before the relay does, and the sample. */

import assert from 'node:assert/strict';
import { PNG } from 'pngjs';
import { freePort } from '../../matrix/ports.js';

/** Some of them ask for it. */
export const node = '24';

export const samples = { 'sample/server.js': 'frameworks/fastify' };

/** Starts a framework, and sends it a create. */
async function create({ serve }, ...args) {
  const port = await freePort();
  await serve('node', ['server.js', ...args], port, { PORT: String(port) });
  return send(port, JSON.stringify({ model: 'flux-schnell', prompt: 'A lemon' }), {
    'content-type': 'application/json',
  });
}

const send = (port, body, headers) =>
  fetch(`http://localhost:${port}/api/lemondata/v1/images/generations`, { method: 'POST', headers, body });

const takes = (tool, framework) => ({
  tool,
  async run(project) {
    const response = await create(project, framework);
    assert.equal(response.status, 200, await response.text());
    project.paidOnce();
  },
});

/** A body that is gone is an answer, and no wait for it. */
const refuses = (tool, framework) => ({
  tool,
  async run(project) {
    const response = await create(project, framework, 'lost');
    assert.equal((await response.json()).error.code, 'body_used');
    assert.equal(project.server.counts.creates, 0);
  },
});

/** The sample takes a create, and one with a picture, which is a form. */
const printed = {
  tool: 'fastify',
  async run({ serve, server }) {
    const port = await freePort();
    const env = { PORT: String(port), RELAY_SECRET: 'a secret of the tests, of 32 characters' };
    await serve('node', ['server.js'], port, env, 'sample');
    const request = { model: 'gpt-image-2', prompt: 'A lemon' };
    const text = await send(port, JSON.stringify(request), { 'content-type': 'application/json' });
    assert.equal(text.status, 200, await text.text());
    const form = new FormData();
    for (const [name, value] of Object.entries(request)) form.set(name, value);
    form.set(
      'image',
      new Blob([PNG.sync.write(new PNG({ width: 1, height: 1 }))], { type: 'image/png' }),
      'lemon.png',
    );
    const picture = await send(port, form, { 'x-lemondata-client': '1' });
    assert.equal(picture.status, 200, await picture.text());
    assert.equal(server.counts.creates, 2);
  },
};

export const cells = {
  'fastify-relay': printed,
  fastify: takes('fastify', 'fastify'),
  'fastify-lost': refuses('fastify', 'fastify'),
  koa: takes('koa', 'koa'),
  'koa-lost': refuses('koa', 'koa'),
  nest: takes('@nestjs/core', 'nest'),
};
