/** Which address a key in the environment chooses. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { servicesOf } from '../../js/cli/services.js';

const lemondata = { url: 'https://api.lemondata.cc', key: 'sk-1', variable: 'LEMONDATA_API_KEY' };
const tokenlab = { url: 'https://api.tokenlab.sh', key: 'sk-2', variable: 'TOKENLAB_API_KEY' };
const url = 'http://127.0.0.1:8787';

test('each key has its address, and LEMONDATA_BASE_URL names another', () => {
  for (const [env, expected] of [
    [{}, []],
    [{ LEMONDATA_API_KEY: ' ' }, []],
    [{ LEMONDATA_BASE_URL: url }, []],
    [{ LEMONDATA_API_KEY: ' sk-1\n' }, [lemondata]],
    [{ TOKENLAB_API_KEY: 'sk-2' }, [tokenlab]],
    [{ TOKENLAB_API_KEY: 'sk-2', LEMONDATA_API_KEY: 'sk-1' }, [lemondata, tokenlab]],
    [{ TOKENLAB_API_KEY: 'sk-2', LEMONDATA_BASE_URL: url }, [{ ...tokenlab, url }]],
    [
      { TOKENLAB_API_KEY: 'sk-2', LEMONDATA_API_KEY: 'sk-1', LEMONDATA_BASE_URL: ` ${url} ` },
      [{ ...lemondata, url }],
    ],
  ]) {
    assert.deepEqual(servicesOf(env), expected);
  }
});
