/**
 * jsdom as Jest brings it, which passes on too little of Node.
 *
 * @jest-environment jsdom
 */

import { generate } from 'lemondata-wasm';

test('the error names what the environment lacks', async () => {
  const fetch = jest.fn();
  const error = await generate({ prompt: 'a lemon' }, { baseUrl: '/api/lemondata', fetch }).catch(
    (error) => error,
  );
  expect([error.name, error.outcome]).toEqual(['InternalError', 'not_sent']);
  expect(error.message).toBe(
    'WebAssembly did not start (ReferenceError: TextEncoder is not defined). lemondata-wasm/javascript works without WebAssembly.',
  );
  expect(fetch).not.toHaveBeenCalled();
});
