/** The reader of settings: the values that it accepts, and its errors for others. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  callback,
  choice,
  count,
  flag,
  LONGEST_TIMER_MS,
  list,
  methods,
  milliseconds,
  readSettings,
  required,
} from './settings.js';

const DAY_MS = 86_400_000;
const RULES = {
  retention: milliseconds(DAY_MS),
  answerWithin: milliseconds(10_000, { max: LONGEST_TIMER_MS }),
  maxWait: milliseconds(900_000, { min: 0 }),
  perMinute: count(1000),
  verbose: flag(false),
  fetch: callback(undefined),
  origins: list([], 'a list of origins'),
  mode: choice('drop', ['drop', 'pass']),
  store: methods(['claim'], 'a store'),
};
const read = (values) => readSettings('createHub', RULES, values);

test('undefined means the default', () => {
  const defaults = {
    retention: DAY_MS,
    answerWithin: 10_000,
    maxWait: 900_000,
    perMinute: 1000,
    verbose: false,
    fetch: undefined,
    origins: [],
    mode: 'drop',
    store: undefined,
  };
  assert.deepEqual(read(undefined), defaults);
  assert.deepEqual(read({}), defaults);
  assert.deepEqual(read(Object.fromEntries(Object.keys(RULES).map((name) => [name, undefined]))), defaults);
});

test('numeric text is a number, and true and false as text are flags', () => {
  const { retention, perMinute, maxWait, verbose } = read({
    retention: '3600000',
    perMinute: ' 50\n',
    maxWait: '0',
    verbose: 'true',
  });
  assert.deepEqual(
    { retention, perMinute, maxWait, verbose },
    {
      retention: 3_600_000,
      perMinute: 50,
      maxWait: 0,
      verbose: true,
    },
  );
});

describe('anything else stops it', () => {
  const NO_NUMBERS = [
    '',
    ' ',
    '1,000',
    '1_000',
    '1e9',
    '0x10',
    '-5',
    'unlimited',
    '1d',
    'NaN',
    'Infinity',
    null,
    true,
  ];
  const NO_NUMBERS_EITHER = [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    -1,
    1e15,
    [],
    {},
    () => 5,
    5n,
    Symbol('5'),
  ];
  for (const [name, values] of Object.entries({
    retention: [...NO_NUMBERS, ...NO_NUMBERS_EITHER, 0],
    answerWithin: [...NO_NUMBERS, ...NO_NUMBERS_EITHER, 0, 3e9, '3000000000'],
    maxWait: [...NO_NUMBERS, ...NO_NUMBERS_EITHER],
    perMinute: [...NO_NUMBERS, ...NO_NUMBERS_EITHER.filter((value) => value !== 1e15), 0, 1.5, '1.5'],
    verbose: ['', 'yes', '1', 1, 0, null, {}],
    fetch: ['fetch', null, {}, true],
    origins: ['https://a.example', null, [''], [5], {}],
    mode: ['', 'keep', null, 0],
    store: [null, {}, { claim: true }, 'store'],
  })) {
    for (const value of values) {
      test(`${name}: ${typeof value === 'string' ? JSON.stringify(value) : String(typeof value === 'object' ? JSON.stringify(value) : value)}`, () => {
        assert.throws(() => read({ [name]: value }), new RegExp(`^TypeError: createHub: ${name} must be `));
      });
    }
  }
});

describe('the error says what the value is, what it has to be, and what to do', () => {
  const messageOf = (values, rules = RULES) => {
    try {
      readSettings('createHub', rules, values);
    } catch (error) {
      return error.message;
    }
  };

  test('of a number', () => {
    assert.equal(
      messageOf({ answerWithin: 'soon' }),
      'createHub: answerWithin must be a number of milliseconds from 1 to 2147483647, but is "soon". ' +
        'Leave it out for the default, 10000.',
    );
  });

  test('of a list', () => {
    assert.equal(
      messageOf({ origins: ['', 5] }),
      'createHub: origins must be a list of origins, but is the list [an empty text, 5]. Leave it out for the default.',
    );
  });

  test('of a setting without a default', () => {
    const rules = { tasks: required(methods(['get'], 'a binding'), 'Declare it in wrangler.jsonc.') };
    assert.equal(
      messageOf({}, rules),
      'createHub: tasks must be a binding, but is missing. Declare it in wrangler.jsonc.',
    );
  });

  test('of a name that is not known', () => {
    for (const name of ['speed', 'per', 'perMinuteOf']) {
      assert.match(messageOf({ [name]: 5 }), new RegExp(`knows no option ${name}\\. It knows retention, `));
    }
    for (const name of ['perMinutes', 'perMinut', 'per_minute', 'PERMINUTE']) {
      assert.equal(messageOf({ [name]: 5 }), `createHub knows no option ${name}. Did you mean perMinute?`);
    }
    assert.match(messageOf({ constructor: 5 }), /knows no option constructor/);
  });

  test('of what is no object', () => {
    assert.equal(messageOf(null), 'createHub takes an object of options, but got null.');
    assert.equal(messageOf('x'), 'createHub takes an object of options, but got "x".');
  });

  test('and never shows a secret, nor a long text', () => {
    const rules = { secret: required(count(undefined), 'Set it.', { isSecret: true }) };
    const secret = 'a-secret-that-is-not-a-number';
    for (const value of [secret, [secret], { secret }]) {
      assert.ok(!messageOf({ secret: value }, rules).includes(secret));
    }
    assert.match(messageOf({ retention: 'x'.repeat(1000) }), /but is a text of 1000 characters\./);
  });
});
