/** The provider for the AI SDK, called by the SDK itself, in each of its versions. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { LemonDataError, TaskFailedError } from 'lemondata-wasm';
import { createLemonData, lemonData } from 'lemondata-wasm/ai-sdk';
import { failure } from '../helpers/failure.js';
import { startServer } from '../server/index.js';
import { SDKS } from './sdk.js';

/** No test needs this long: it ends one that would hang. */
const GUARD = { timeout: 20_000 };
const PNG = [0x89, 0x50, 0x4e, 0x47];
const prompt = 'A lemon on a plate';
/** One pixel. */
const PIXEL = Uint8Array.from(
  atob('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='),
  (char) => char.charCodeAt(0),
);

let server;
let options;
before(async () => {
  server = await startServer({ taskMs: 20 });
  options = { apiKey: server.apiKey, baseUrl: server.url, pollInterval: { min: 1, max: 2 } };
});
beforeEach(() => server.reset());
after(() => server.close());

const creates = () => server.counts.requests.filter(({ method }) => method === 'POST');

for (const [
  name,
  { APICallError, createProviderRegistry, generateImage, NoSuchModelError },
] of Object.entries(SDKS)) {
  describe(name, GUARD, () => {
    const image = (model, settings) => createLemonData({ ...options, ...settings }).image(model);

    test('gets an inline picture as bytes', async () => {
      const result = await generateImage({ model: image('gpt-image-2'), prompt });
      assert.deepEqual([...result.image.uint8Array.subarray(0, 4)], PNG);
      assert.equal(result.image.mediaType, 'image/png');
      assert.deepEqual(creates()[0].body, { model: 'gpt-image-2', prompt });
      const [response] = result.responses;
      assert.equal(response.modelId, 'gpt-image-2');
      assert.ok(response.timestamp instanceof Date);
      assert.ok(response.headers['x-request-id']);
      assert.match(result.providerMetadata.lemondata.images[0].url, /^http/);
    });

    test('gets a picture in base64 as it is', async () => {
      const providerOptions = { lemondata: { response_format: 'b64_json' } };
      const { image: picture } = await generateImage({
        model: image('gpt-image-2'),
        prompt,
        providerOptions,
      });
      assert.deepEqual([...picture.uint8Array.subarray(0, 4)], PNG);
      assert.equal(server.counts.files, 0);
    });

    test('downloads a picture whose base64 is empty', async () => {
      const url = `data:image/png;base64,${btoa(String.fromCharCode(...PIXEL))}`;
      const fetch = async () => Response.json({ data: [{ url, b64_json: '' }] });
      const { image: picture } = await generateImage({ model: image('gpt-image-2', { fetch }), prompt });
      assert.deepEqual(picture.uint8Array, PIXEL);
    });

    test('counts tokens that are numbers alone', async () => {
      const usage = { input_tokens: '3', output_tokens: null, total_tokens: 7 };
      const data = [{ b64_json: btoa(String.fromCharCode(...PIXEL)) }];
      const fetch = async () => Response.json({ data, usage });
      const result = await generateImage({ model: image('gpt-image-2', { fetch }), prompt });
      const { inputTokens, outputTokens, totalTokens } = result.usage;
      assert.deepEqual([inputTokens, outputTokens, totalTokens], [undefined, undefined, 7]);
    });

    test('takes provider options of null as none', async () => {
      const { images } = await generateImage({
        model: image('gpt-image-2'),
        prompt,
        providerOptions: { lemondata: null },
      });
      assert.equal(images.length, 1);
    });

    test('waits for a task, and tells its id', async () => {
      const { images, providerMetadata } = await generateImage({ model: image('flux-2-pro'), prompt });
      assert.equal(images.length, 1);
      assert.ok(server.counts.polls > 0);
      assert.match(providerMetadata.lemondata.images[0].taskId, /^img_/);
    });

    test('tells the revised prompt, the task and the outcome of each image', async () => {
      const inline = await generateImage({ model: image('dall-e-3'), prompt });
      const [first, ...others] = inline.providerMetadata.lemondata.images;
      assert.equal(others.length, 0);
      assert.equal(first.outcome, 'completed');
      assert.equal(first.revisedPrompt, `${prompt}, in soft light`);
      assert.ok(!('taskId' in first));
      assert.deepEqual(inline.warnings, []);

      const task = await generateImage({ model: image('flux-2-pro'), prompt, n: 2 });
      const { images } = task.providerMetadata.lemondata;
      assert.deepEqual(
        images.map(({ outcome }) => outcome),
        ['completed', 'completed'],
      );
      assert.match(images[0].taskId, /^img_/);
      assert.equal(images[1].taskId, images[0].taskId);
      assert.deepEqual(task.warnings, []);
    });

    test('asks for several images in one create', async () => {
      const { images, providerMetadata } = await generateImage({ model: image('gpt-image-2'), prompt, n: 3 });
      assert.equal(images.length, 3);
      assert.equal(creates().length, 1);
      assert.equal(providerMetadata.lemondata.images.length, 3);
    });

    test('sends what the SDK knows, and provider options as fields', async () => {
      await generateImage({
        model: image('gpt-image-2'),
        prompt,
        size: '1024x1536',
        aspectRatio: '2:3',
        seed: 0,
        providerOptions: { lemondata: { quality: 'high', maxWait: 1000 }, other: { style: 'vivid' } },
        headers: { 'x-trace': 'abc' },
      });
      const [{ body, headers }] = creates();
      const expected = { model: 'gpt-image-2', prompt, size: '1024x1536', aspect_ratio: '2:3', seed: 0 };
      assert.deepEqual(body, { ...expected, quality: 'high' });
      assert.equal(headers['x-trace'], 'abc');
      assert.match(headers['user-agent'], /\bai\/\d/);
      assert.equal(headers.authorization, `Bearer ${server.apiKey}`);
    });

    test('keeps the headers of a call from downloads', async () => {
      await generateImage({ model: image('gpt-image-2'), prompt, headers: { 'x-trace': 'abc' } });
      const download = server.counts.requests.find(({ path }) => path.startsWith('/files/'));
      assert.equal(download.headers['x-trace'], undefined);
      assert.equal(server.counts.keyLeaks, 0);
    });

    test('edits pictures and a mask that are data, as a form', async () => {
      const images = [PIXEL, `data:image/png;base64,${Buffer.from(PIXEL).toString('base64')}`];
      const request = { model: image('gpt-image-2'), prompt: { text: prompt, images, mask: PIXEL } };
      const { image: picture } = await generateImage(request);
      assert.deepEqual([...picture.uint8Array.subarray(0, 4)], PNG);
      const [{ path, body }] = creates();
      assert.equal(path, '/v1/images/edits');
      assert.deepEqual(
        body.image.map(({ type, size }) => [type, size]),
        [
          ['image/png', PIXEL.length],
          ['image/png', PIXEL.length],
        ],
      );
      assert.equal(body.mask[0].size, PIXEL.length);
      assert.equal(body.prompt, prompt);
    });

    test('edits pictures at URLs, as JSON', async () => {
      const url = 'https://pictures.example/1.png';
      await generateImage({
        model: image('gpt-image-2'),
        prompt: { text: prompt, images: [url], mask: url },
      });
      const [{ path, body }] = creates();
      assert.equal(path, '/v1/images/edits');
      assert.deepEqual(body, { model: 'gpt-image-2', prompt, image_urls: [url], mask: { image_url: url } });
    });

    test('refuses a mixture of URLs and data before anything is sent', async () => {
      const images = ['https://pictures.example/1.png', PIXEL];
      const error = await failure(
        generateImage({ model: image('gpt-image-2'), prompt: { text: prompt, images } }),
      );
      assert.match(error.message, /all URLs, or all data/);
      assert.equal(error.cause.outcome, 'not_sent');
      assert.equal(creates().length, 0);
    });

    for (const model of ['test-error-429', 'test-error-500', 'test-error-503-retryable', 'test-error-408']) {
      test(`never repeats a create by itself: ${model}`, async () => {
        const error = await failure(generateImage({ model: image(model, { maxRetries: 0 }), prompt }));
        assert.equal(creates().length, 1);
        assert.ok(APICallError.isInstance(error), `${error}`);
        assert.equal(error.isRetryable, false);
        assert.equal(error.statusCode, Number(model.match(/\d+/)[0]));
        assert.ok(error.cause instanceof LemonDataError);
        assert.equal(error.data.outcome, error.cause.outcome);
        assert.equal(JSON.parse(error.responseBody).error.message, error.cause.body.error.message);
        assert.equal(error.requestBodyValues.prompt, prompt);
        assert.equal(error.url, `${server.url}/v1/images/generations`);
        assert.ok(!JSON.stringify(error).includes(server.apiKey));
      });
    }

    test('names the task that failed', async () => {
      const error = await failure(generateImage({ model: image('test-task-failed-object'), prompt }));
      assert.ok(APICallError.isInstance(error));
      assert.ok(error.cause instanceof TaskFailedError);
      assert.equal(creates().length, 1);
    });

    test('goes on with a task in place of a create', async () => {
      // However slow the machine, the task is not done at its first poll.
      const model = image('test-poll:error-502:1', { maxPolls: 1 });
      const late = await failure(generateImage({ model, prompt }));
      assert.equal(late.data.outcome, 'accepted');
      const providerOptions = { lemondata: { taskId: late.data.task.task_id } };
      const { images } = await generateImage({ model: image('flux-2-pro'), prompt, providerOptions });
      assert.equal(images.length, 1);
      assert.equal(creates().length, 1);
    });

    test('warns of each argument of a create beside a task', async () => {
      const [created] = (await generateImage({ model: image('flux-2-pro'), prompt })).providerMetadata
        .lemondata.images;
      const details = 'A call with a taskId creates nothing: the task keeps its own options.';
      const warned = async (args, own) => {
        const providerOptions = { lemondata: { taskId: created.taskId, ...own } };
        const { warnings } = await generateImage({
          model: image('flux-2-pro'),
          prompt,
          ...args,
          providerOptions,
        });
        for (const warning of warnings)
          assert.deepEqual([warning.type, warning.details], ['unsupported', details]);
        return warnings.map(({ feature }) => feature);
      };
      assert.deepEqual(await warned({}, { maxWait: 9000, maxPolls: 9, requestTimeout: 9000 }), []);
      assert.deepEqual(await warned({ n: 2 }), ['n']);
      assert.deepEqual(await warned({ size: '1024x1024' }), ['size']);
      assert.deepEqual(await warned({ aspectRatio: '1:1' }), ['aspectRatio']);
      assert.deepEqual(await warned({ seed: 0 }), ['seed']);
      assert.deepEqual(await warned({ prompt: { text: prompt, images: [PIXEL], mask: PIXEL } }), [
        'images',
        'mask',
      ]);
      assert.deepEqual(
        await warned({}, { quality: 'high', fallback: ['gpt-image-2'], idempotencyKey: 'k', maxRetries: 1 }),
        ['fallback', 'idempotencyKey', 'maxRetries', 'quality'].map(
          (name) => `providerOptions.lemondata.${name}`,
        ),
      );
      assert.equal(creates().length, 1);
    });

    test('warns where the model makes fewer images', async () => {
      const [picture] = (
        await (
          await fetch(`${server.url}/v1/images/generations`, {
            method: 'POST',
            headers: { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' },
            body: JSON.stringify({ model: 'gpt-image-2', prompt }),
          })
        ).json()
      ).data;
      server.next({ on: 'create', reply: { status: 200, body: { created: 1, data: [picture] } } });
      const { images, warnings } = await generateImage({ model: image('gpt-image-2'), prompt, n: 3 });
      assert.equal(images.length, 1);
      assert.deepEqual(warnings, [
        { type: 'unsupported', feature: 'n', details: 'The model made 1 of 3 images.' },
      ]);
    });

    test('keeps what was paid for where a download fails', async () => {
      server.next({ on: 'file', times: 9, reply: { status: 404 } });
      const error = await failure(generateImage({ model: image('gpt-image-2'), prompt }));
      assert.equal(creates().length, 1);
      assert.equal(error.isRetryable, false);
      assert.match(error.data.generation.data[0].url, /^http/);
      assert.equal(error.data.outcome, 'completed');
    });

    test('warns of a model that a fallback went past', async () => {
      const { warnings, responses } = await generateImage({
        model: image('test-error-400-model-not-found'),
        prompt,
        providerOptions: { lemondata: { fallback: ['gpt-image-2'] } },
      });
      assert.equal(responses[0].modelId, 'gpt-image-2');
      assert.equal(warnings.length, 1);
      assert.match(
        warnings[0].message,
        /^test-error-400-model-not-found made no picture, so gpt-image-2 did: /,
      );
    });

    test('warns of an image that failed among others', async () => {
      const picture = () =>
        Promise.resolve(new Response(PIXEL, { headers: { 'content-type': 'image/png' } }));
      const transport = (url, init) => (url.startsWith(server.url) ? fetch(url, init) : picture());
      const model = image('test-inline-partly-filtered', { fetch: transport });
      const { images, warnings } = await generateImage({ model, prompt, n: 2 });
      assert.equal(images.length, 1);
      assert.match(warnings[0].message, /^One of the images failed: ./);
    });

    test('takes an answer that a transport has made by hand', async () => {
      const body = JSON.stringify({ data: [{ b64_json: btoa(String.fromCharCode(...PIXEL)) }] });
      for (const headers of [undefined, {}, { 'x-request-id': 'req_1' }, new Map()]) {
        const transport = async () => ({ status: 200, headers, text: async () => body });
        const model = image('gpt-image-2', { fetch: transport });
        const { images, responses } = await generateImage({ model, prompt, maxRetries: 0 });
        assert.equal(images.length, 1);
        assert.equal(responses[0].headers?.['x-request-id'], headers?.['x-request-id']);
      }
    });

    test('ends with the reason of the signal', async () => {
      const controller = new AbortController();
      const model = image('test-hang', { onTask: undefined });
      const call = failure(generateImage({ model, prompt, abortSignal: controller.signal }));
      const reason = new DOMException('enough', 'AbortError');
      setTimeout(() => controller.abort(reason), 20);
      assert.equal(await call, reason);
    });

    test('says what is missing', async () => {
      const model = createLemonData({ apiKey: '' }).image('gpt-image-2');
      const error = await failure(generateImage({ model, prompt }));
      assert.match(error.message, /^apiKey is missing or empty/);
      assert.equal(error.cause.outcome, 'not_sent');
    });

    test('is a provider of a registry, for images alone', async () => {
      const registry = createProviderRegistry({ lemondata: createLemonData(options) });
      const { images } = await generateImage({ model: registry.imageModel('lemondata:gpt-image-2'), prompt });
      assert.equal(images.length, 1);
      assert.throws(
        () => registry.languageModel('lemondata:gpt-9'),
        (error) => NoSuchModelError.isInstance(error) && error.modelType === 'languageModel',
      );
    });
  });
}

test('a provider without options has the key of the environment', GUARD, async () => {
  const [sdk] = Object.values(SDKS);
  const { LEMONDATA_API_KEY: before } = process.env;
  delete process.env.LEMONDATA_API_KEY;
  delete process.env.TOKENLAB_API_KEY;
  try {
    const error = await failure(sdk.generateImage({ model: lemonData.image('gpt-image-2'), prompt }));
    assert.match(error.message, /^apiKey is missing or empty/);
  } finally {
    if (before !== undefined) process.env.LEMONDATA_API_KEY = before;
  }
});
