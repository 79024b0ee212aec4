import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redirectOrigin } from './exchange.js';
import { reasonOf } from './values.js';

test('the reason of a body is the first text that says something', () => {
  for (const [body, expected] of [
    [{ error: { message: 'No', detail: 'x' }, message: 'x' }, 'No'],
    [{ error: 'No', message: 'x' }, 'No'],
    [{ error: { message: '' }, message: 'No' }, 'No'],
    [{ error: { code: 'x' }, detail: 'No' }, 'No'],
    [{ detail: { msg: 'No' } }, 'No'],
    [{ errors: ['No', { message: 'Never' }] }, 'No; Never'],
    [{ message: 'No', validation_errors: [{ field: 'n', message: 'too many' }] }, 'No; n: too many'],
    [
      {
        error: { message: 'n: too many' },
        validation_errors: [
          { field: 'n', message: 'too many' },
          { field: 'size', message: 'unknown' },
        ],
      },
      'n: too many; size: unknown',
    ],
    [{ detail: [{ loc: ['body', 'n'], msg: 'too many' }] }, 'n: too many'],
    [{ detail: [{ loc: ['body', 3], msg: 'too long' }] }, '3: too long'],
    [{ data: [{ error: { message: 'No' } }, null, { error: 'Never' }] }, 'No; Never'],
    [{ data: ['https://x.example/1.png', { url: '' }] }, ''],
    [{ message: 42 }, '42'],
    [{}, ''],
    [[], ''],
    [null, ''],
    [true, ''],
  ]) {
    assert.equal(reasonOf(body), expected, JSON.stringify(body));
  }
});

test('a reason is as short and as flat as reasons are', () => {
  assert.equal(reasonOf({ errors: [1, 2, 3, 4, 5, 6] }), '1; 2; 3; 4; 5');
  assert.equal(reasonOf({ error: { error: { error: 'deep' } } }), 'deep');
  assert.equal(reasonOf({ error: { error: { error: { error: 'too deep' } } } }), '');
});

test('a redirect shows the origin that it leads to, and never the query', () => {
  for (const [location, expected] of [
    ['https://api.tokenlab.sh/v1/images/generations?token=secret', 'https://api.tokenlab.sh'],
    ['HTTPS://user:secret@Api.TokenLab.sh:8443/', 'https://api.tokenlab.sh:8443'],
    ['http://xyz.example/', 'http://xyz.example'],
    ['mailto:secret@x', 'null'],
    ['/login?token=secret', undefined],
    ['login', undefined],
    ['', undefined],
    ['http://[', undefined],
    [undefined, undefined],
  ]) {
    assert.equal(redirectOrigin(location), expected, location);
  }
});
