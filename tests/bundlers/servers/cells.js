/** Frameworks of Node whose parsers read a body before the relay does. */

import assert from 'node:assert/strict';
import { freePort } from '../../matrix/ports.js';

/** Some of them ask for it. */
export const node = '24';

/** Starts a framework, and sends it a create. */
async function create({ serve }, ...args) {
  const port = await freePort();
  await serve('node', ['server.js', ...args], port, { PORT: String(port) });
  return fetch(`http://localhost:${port}/api/lemondata/v1/images/generations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"model":"flux-schnell","prompt":"A lemon"}',
  });
}

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

export const cells = {
  fastify: takes('fastify', 'fastify'),
  'fastify-lost': refuses('fastify', 'fastify'),
  koa: takes('koa', 'koa'),
  'koa-lost': refuses('koa', 'koa'),
  nest: takes('@nestjs/core', 'nest'),
};
