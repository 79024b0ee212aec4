/** The catalogue, and the routes that list it. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { MODELS } from '../../js/testing/catalogue.js';
import { create, errorOf, get, json, SMALL, start } from './help.js';

/** The models of the older documents, and those of 2026. */
const SEEDS = [
  'dall-e-3',
  'dall-e-2',
  'flux-schnell',
  'stable-diffusion-3',
  'flux-pro',
  'midjourney',
  'ideogram-v3',
];
const TODAY = [
  'gpt-image-2',
  'nano-banana',
  'nano-banana-2',
  'nano-banana-pro',
  'gemini-3-pro-image-preview',
  'flux-2-pro',
  'sd3.5-large',
  'grok-imagine-image',
];

describe('the list of models', () => {
  let server;
  const list = async (query = '') => (await json(await get(server, `/v1/models${query}`, {}))).data;
  const ids = (models) => models.map(({ id }) => id);
  before(async () => {
    server = await start();
  });

  test('holds the old models and the new ones, and needs no key', async () => {
    const listed = ids(await list());
    for (const id of [...SEEDS, ...TODAY]) assert.ok(listed.includes(id), id);
    assert.equal(listed.length, MODELS.size);
  });

  test('refuses a wrong key', async () => {
    const wrong = { authorization: 'Bearer sk-other' };
    await errorOf(await get(server, '/v1/models', wrong), 401, 'invalid_api_key');
    await errorOf(await get(server, '/v1/models/gpt-image-2', wrong), 401, 'invalid_api_key');
  });

  test('is filtered by category', async () => {
    const [images, videos] = [await list('?category=image'), await list('?category=video')];
    assert.ok(ids(images).includes('gpt-image-2') && !ids(images).includes('seedance-2.0'));
    assert.deepEqual(ids(videos), ['seedance-2.0']);
    assert.ok(images.every(({ tokenlab }) => tokenlab.category === 'image'));
  });

  test('is sorted by rank for a recommendation, and says why', async () => {
    const recommended = await list('?recommended_for=image');
    const ranks = recommended.map(({ tokenlab }) => tokenlab.agent_preferences.image.preferred_rank);
    const ranked = ranks.filter((rank) => rank !== null);
    assert.deepEqual(ranks.slice(0, 5), [1, 2, 3, 4, null]);
    assert.deepEqual(ranked, [1, 2, 3, 4]);
    assert.equal(recommended[0].id, 'gpt-image-2');
    assert.equal((await list())[0].tokenlab.agent_preferences, undefined);
  });

  test('comes compact', async () => {
    const body = await json(await get(server, '/v1/models?view=compact&recommended_for=image', {}));
    assert.deepEqual([body.view, body.count], ['compact', body.data.length]);
    assert.equal(body.data[0].recommendation.preferred_rank, 1);
    assert.deepEqual(body.data[0].pricing.currency, 'USD');
    assert.equal('tokenlab' in body.data[0], false);
  });

  test('refuses a query that it does not know', async () => {
    for (const [query, field] of [
      ['category=pictures', 'category'],
      ['recommended_for=', 'recommended_for'],
      ['view=short', 'view'],
    ]) {
      const error = await errorOf(await get(server, `/v1/models?${query}`), 400, 'invalid_request_error');
      assert.equal(error.param, field);
    }
  });

  test('has a page for each model', async () => {
    for (const { id, tokenlab } of await list()) {
      const model = await json(await get(server, `/v1/models/${id}`, {}));
      assert.equal(model.id, id);
      assert.deepEqual(model.tokenlab, tokenlab);
    }
    await errorOf(await get(server, '/v1/models/none', {}), 404, 'model_not_found');
    await errorOf(await get(server, '/v1/models/constructor', {}), 404, 'model_not_found');
  });
});

test('each image model answers as the catalogue says, in a strict server, too', async () => {
  for (const isStrict of [false, true]) {
    const server = await start({ isStrict });
    for (const { id, category, isTask, hasFreeSizes, parameters } of MODELS.values()) {
      const size = hasFreeSizes ? { size: '1024x640' } : parameters.includes('size') ? SMALL : {};
      const response = await create(server, { prompt: 'x', model: id, ...size });
      if (category === 'image') {
        const { status, task_id } = await json(response);
        assert.deepEqual(
          [status, task_id !== undefined],
          isTask ? ['pending', true] : [undefined, false],
          id,
        );
      } else {
        const { suggestions } = await errorOf(response, 400, 'model_not_found');
        assert.ok(suggestions.every((suggestion) => MODELS.get(suggestion.id).category === 'image'));
      }
    }
  }
});

test('every demo and example names models of today', () => {
  const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  for (const path of ['scripts/start.js', 'tests/live.js', 'js/entries/index.d.ts']) {
    const names = [...read(path).matchAll(/\bmodel: '([\w.-]+)'/g)].map(([, name]) => name);
    assert.ok(names.length > 0, path);
    for (const name of names) {
      assert.ok(MODELS.has(name) && !MODELS.get(name).isLegacy, `${path}: ${name}`);
    }
  }
});
