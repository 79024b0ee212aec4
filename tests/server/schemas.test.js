/** Every answer of the server against the JSON schemas of `schemas.js`, and every example of the provider. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { Ajv } from 'ajv';
import { MODELS } from '../../js/testing/catalogue.js';
import { REPLIES } from '../../js/testing/replies.js';
import { TASKS } from '../../js/testing/traits.js';
import { AUTH, clock, create, edit, example, get, SMALL, start, TASK_MS } from './help.js';
import { SCHEMAS } from './schemas.js';

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
const validators = Object.fromEntries(
  Object.entries(SCHEMAS).map(([name, schema]) => [name, ajv.compile(schema)]),
);

/** Checks a body; what is wrong with it goes into the message. */
function conforms(name, body) {
  const validate = validators[name];
  assert.ok(validate(body), `${name}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(body)}`);
}

test('the examples of the provider conform', () => {
  for (const file of readdirSync(new URL('examples/', import.meta.url))) {
    const name = file.replace('.json', '');
    const [kind] = name.split('-');
    const schema =
      { inline: 'inline', pending: 'running', processing: 'running', error: 'error' }[kind] ?? 'ended';
    conforms(schema, example(name));
  }
});

test('an answer of another kind does not', () => {
  for (const [name, body] of [
    ['inline', example('pending-tasks-path')],
    ['inline', { created: 1, data: [] }],
    ['inline', { created: 1, data: [{ url: '' }] }],
    ['running', example('completed')],
    ['running', { ...example('processing'), id: undefined, task_id: undefined }],
    ['running', { ...example('processing'), progress: 101 }],
    ['running', { ...example('processing'), poll_url: 'v1/tasks/1' }],
    ['ended', example('processing')],
    ['ended', { task_id: '1', status: 'completed' }],
    ['error', { error: { message: 'no' } }],
    ['error', { error: { ...example('error-401').error, more: 1 } }],
    ['error', { ...example('error-401'), validation_errors: [{ param: 'n', message: 'no' }] }],
    ['models', { object: 'list', data: [{ id: 'x' }] }],
  ]) {
    assert.equal(
      validators[name](JSON.parse(JSON.stringify(body))),
      false,
      `${name} ${JSON.stringify(body)}`,
    );
  }
});

for (const isStrict of [false, true]) {
  for (const pollPath of ['images', 'tasks', 'alias', 'none']) {
    describe(`a ${isStrict ? 'strict' : 'lenient'} server, poll path ${pollPath}`, () => {
      let server;
      before(async () => {
        server = await start({ isStrict, pollPath });
      });

      /** A task at each of its stages. */
      async function live(response) {
        const first = await response.json();
        conforms('running', first);
        const path = first.poll_url?.startsWith('/')
          ? first.poll_url
          : `/v1/tasks/${first.task_id ?? first.id}`;
        const bodies = [];
        for (let third = 0; third < 3; third += 1) {
          clock.ms += TASK_MS / 3;
          bodies.push(await (await get(server, path)).json());
        }
        return bodies;
      }

      test('answers each model', async () => {
        for (const { id, category, isTask, parameters } of MODELS.values()) {
          const sized = parameters.includes('size') && id !== 'gpt-image-2';
          const response = await create(server, { model: id, prompt: 'x', ...(sized && SMALL) });
          if (category !== 'image') conforms('error', await response.json());
          else if (isTask) {
            const [second, third, last] = await live(response);
            conforms('running', second);
            conforms('running', third);
            conforms('ended', last);
          } else conforms('inline', await response.json());
        }
      });

      test('answers each scenario of a task', async () => {
        for (const name of Object.keys(TASKS)) {
          const bodies = await live(await create(server, { model: `test-${name}`, prompt: 'x', ...SMALL }));
          const isGone = name === 'task-vanishes';
          const isLate = name === 'task-late';
          const expected = ['running', 'running', 'ended'];
          for (const [index, body] of bodies.entries()) {
            const isMissing = (isGone && index > 0) || (isLate && index === 0);
            conforms(isMissing ? 'error' : expected[index], body);
          }
        }
      });

      test('answers each error, with and without its code', async () => {
        for (const name of Object.keys(REPLIES)) {
          if (!/^error-/.test(name) || /-(html|empty|520)$/.test(name)) continue;
          for (const more of ['', ',type-only']) {
            const response = await create(server, { model: `test-${name}${more}`, prompt: 'x', ...SMALL });
            assert.ok(response.status >= 400);
            conforms('error', await response.json());
          }
        }
      });
    });
  }
}

describe('any server', () => {
  let server;
  before(async () => {
    server = await start({ isStrict: true });
  });

  test('answers a filtered picture', async () => {
    for (const name of ['inline-filtered', 'inline-partly-filtered']) {
      const response = await create(server, { model: `test-${name}`, prompt: 'x' });
      conforms('inline', await response.json());
    }
  });

  test('breaks the description where a scenario is to', async () => {
    const response = await create(server, { model: 'test-inline-empty', prompt: 'x' });
    assert.equal(validators.inline(await response.json()), false);
  });

  test('answers an edit', async () => {
    const request = { model: 'gpt-image-2', prompt: 'x', image_url: 'https://x.test/1.png' };
    for (const more of [{}, { response_format: 'b64_json' }]) {
      conforms('inline', await (await edit(server, { ...request, ...more })).json());
    }
    conforms('running', await (await edit(server, { ...request, async: true })).json());
    const form = new FormData();
    form.append('model', 'gpt-image-2');
    conforms('error', await (await edit(server, form)).json());
  });

  test('answers the routes of models', async () => {
    for (const query of ['', '?category=image', '?category=video&view=full', '?recommended_for=image']) {
      conforms('models', await (await get(server, `/v1/models${query}`)).json());
    }
    for (const query of ['?view=compact', '?view=compact&recommended_for=image']) {
      conforms('compactModels', await (await get(server, `/v1/models${query}`)).json());
    }
    conforms('model', await (await get(server, '/v1/models/gpt-image-2')).json());
  });

  test('refuses in the shape of errors', async () => {
    for (const response of [
      await create(server, '{'),
      await create(server, {}),
      await create(server, { prompt: 'x', model: 'none' }),
      await create(server, { prompt: 'x', model: 'gpt-image-2', colour: 'red' }),
      await create(server, { prompt: 'x', model: 'nano-banana-2', aspect_ratio: '7:5' }),
      await create(server, { prompt: 'x', model: 'sd3.5-large', operation: 'image-edit' }),
      await create(server, { prompt: 'x'.repeat(5000), model: 'gpt-image-2' }),
      await create(server, { prompt: 'x', model: 'gpt-image-2' }, { authorization: '' }),
      await create(server, 'x'.repeat(2 ** 20 + 1)),
      await get(server, '/v1/models/none'),
      await get(server, '/v1/models?view=none'),
      await get(server, '/v1/tasks/none'),
      await get(server, '/v1/images/generations'),
      await get(server, '/nowhere'),
      await get(server, '/files/none.png', AUTH),
      await fetch(`${server.url}/v1/tasks/none`, { method: 'DELETE', headers: AUTH }),
    ]) {
      assert.ok(response.status >= 400);
      conforms('error', await response.json());
    }
  });
});
