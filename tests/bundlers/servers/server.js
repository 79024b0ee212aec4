/**
 * A relay in one of the frameworks whose parsers read a body before any handler: `node server.js fastify`. It hands
 * the parsed body over, or, with `lost`, leaves it where the relay does not look.
 */

import 'reflect-metadata';
import { createServer } from 'node:http';
import { bodyParser } from '@koa/bodyparser';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { fastify } from 'fastify';
import Koa from 'koa';
import { createRelay, toNodeHandler } from 'lemondata-wasm/relay';

const [framework, mode] = process.argv.slice(2);
const { LEMONDATA_API_KEY: apiKey, LEMONDATA_BASE_URL: baseUrl, PORT } = process.env;
const handle = toNodeHandler(
  createRelay({
    apiKey,
    baseUrl,
    secret: 'a secret of the tests, of 32 characters',
    authorize: () => 'reader',
    models: 'any',
  }),
);
const kept = (body) => (mode === 'lost' ? {} : { body });

const START = {
  async fastify() {
    const app = fastify();
    app.all('/api/lemondata/*', (request, reply) => {
      reply.hijack();
      return handle(Object.assign(request.raw, kept(request.body)), reply.raw);
    });
    await app.listen({ port: Number(PORT) });
  },
  koa() {
    const app = new Koa();
    app.use(bodyParser());
    app.use((context) => {
      context.respond = false;
      return handle(Object.assign(context.req, kept(context.request.body)), context.res);
    });
    createServer(app.callback()).listen(PORT);
  },
  async nest() {
    class AppModule {}
    Module({})(AppModule);
    const app = await NestFactory.create(AppModule, { logger: false });
    // Its parser keeps the body in `request.body`.
    app.useBodyParser('json');
    app.use('/api/lemondata', handle);
    await app.listen(Number(PORT));
  },
};
await START[framework]();
