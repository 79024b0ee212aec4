/**
 * Creates, edits and polls at the service, and the parts of the answers that a client may see.
 *
 * Here the relay is a client like any other: the package knows what an answer means, which URL may be called and what
 * an error says.
 */

import {
  LemonData,
  LemonDataError,
  ResponseError,
  TaskCancelledError,
  TaskFailedError,
} from 'lemondata-wasm';
import { createModelList } from './models.js';
import {
  costsOf,
  loggedCosts,
  publicCode,
  publicError,
  publicFailure,
  publicGeneration,
} from './public-error.js';
import { isAnswerOf, taskIdOf } from './task-ids.js';
import { cappedFetch, requestOf } from './upstream.js';
import { rename } from './view.js';

/** The end of a task is an answer to the relay, not a failure. */
function endOrThrow(error) {
  if (error instanceof TaskFailedError) return error;
  throw error;
}

/** A shorter prompt is a part of other words. */
const MIN_PROMPT_LENGTH = 4;
/** Letters without case, and symbols: of these, one alone can be a word. */
const WORD_SIGNS = /[\p{Lo}\p{So}]/u;

/** The message of an error without the prompt. A short prompt is cut out where it is quoted. */
function withoutPrompt(message, prompt) {
  const isWord = prompt.length >= MIN_PROMPT_LENGTH || WORD_SIGNS.test(prompt);
  if (isWord) return message.replaceAll(prompt, '[prompt]');
  return ['"', "'", '`'].reduce(
    (text, quote) => text.replaceAll(quote + prompt + quote, `${quote}[prompt]${quote}`),
    message,
  );
}

/** For the log alone: the client has left and reads no answer. */
const CLIENT_GONE = 499;
const BILL_HEADER = 'x-billing-transaction-id';

/** How long a service wants to be left alone. A date is one of its own clock. */
function retryAfterOf(headers) {
  const header = (name) => headers?.get?.(name);
  const text = header('retry-after');
  return text ? Number(text) * 1000 || Date.parse(text) - (Date.parse(header('date')) || Date.now()) : 0;
}

/** `LONGEST_WAIT` of the core. A header cannot say "Infinity", nor a number with an exponent. */
const MAX_PAUSE_SECONDS = 1e12;

function setRetryAfter({ headers }, ms) {
  headers['retry-after'] = String(Math.min(Math.ceil(ms / 1000), MAX_PAUSE_SECONDS));
}

/**
 * @param {ReturnType<typeof import('./options.js').readOptions>} settings
 * @param {object} relay
 * @param {ReturnType<typeof import('./references.js').createReferences>} relay.references
 * @param {ReturnType<typeof import('./answers.js').createAnswers>} relay.answers
 * @param {(event: object) => void} relay.log
 */
export function createService(settings, { references, answers, log }) {
  const { baseUrl, showCosts } = settings;
  const fetch = cappedFetch(settings.fetch, settings.maxAnswerBytes);

  async function apiKey() {
    const key = typeof settings.apiKey === 'function' ? await settings.apiKey() : settings.apiKey;
    answers.learnKey(key);
    return key;
  }

  const client = new LemonData({
    apiKey,
    baseUrl,
    fetch,
    requestTimeout: settings.requestTimeout,
    // The client in the page repeats what is safe to repeat.
    maxRetries: 0,
  });
  const listModels = createModelList(settings, client);

  /** The options of a request that write into `info` what its answer says beside the body. */
  const optionsOf = (info, headers) => ({
    headers,
    // Not `async`, as `cappedFetch` is not.
    fetch: (url, init) =>
      fetch(url, init).then((response) => {
        info.retryAfterMs = retryAfterOf(response.headers);
        return response;
      }),
    onResponse: (found) => Object.assign(info, found),
  });

  /** Sends a create or an edit. */
  async function create(order, event) {
    const { isEdit, fields, files, owner, trace } = order;
    event.upstream = isEdit ? 'edit' : 'create';
    const method = isEdit ? 'edit' : 'generate';
    const info = {};
    try {
      const creating = client[method](requestOf(fields, files), optionsOf(info, trace));
      const found = await creating.catch((error) => {
        if (error.outcome !== 'accepted' || !error.task) return endOrThrow(error);
        // The answer was lost, but a header has named its task: the client goes on with that.
        report(error, event, fields.prompt);
        return { ...error.task, status: 'pending' };
      });
      const reference = await refer(found instanceof TaskFailedError ? found.task : found, owner);
      return delivered(found, reference, event, info);
    } catch (error) {
      if (!(error instanceof LemonDataError)) throw error;
      return refused(error, event, fields.prompt);
    }
  }

  async function poll(task, reference, { signal }, trace, event) {
    event.upstream = 'poll';
    const info = {};
    try {
      const found = await client.getTask(task, { signal, ...optionsOf(info, trace) }).catch(endOrThrow);
      if (!isAnswerOf(task, Object(found instanceof TaskFailedError ? found.body : found), baseUrl)) {
        throw unusable('answered a poll with another task', task);
      }
      return delivered(found, reference, event, info);
    } catch (error) {
      if (signal?.aborted) return answers.json(CLIENT_GONE, {});
      if (!(error instanceof LemonDataError)) throw error;
      return refused(error, event);
    }
  }

  /** The models on offer, as the service describes them. */
  async function models(request, event) {
    event.upstream = 'models';
    try {
      return answers.json(200, await listModels(new URL(request.url).searchParams));
    } catch (error) {
      if (!(error instanceof LemonDataError)) throw error;
      return refused(error, event);
    }
  }

  /** A reference to the task, if there is one. */
  async function refer(task, owner) {
    if (!task?.task_id) return undefined;
    const { task_id, poll_url } = task;
    const isUsable = taskIdOf(poll_url, baseUrl) !== undefined;
    try {
      return await references.sign(isUsable ? { task_id, poll_url } : { task_id }, owner);
    } catch (cause) {
      throw unusable('named its task by an id that no reference can hold', { task_id }, cause);
    }
  }

  /** The error of an answer that must not reach a client. */
  const unusable = (problem, task, cause) =>
    new ResponseError({
      kind: 'response',
      outcome: 'accepted',
      message: `The service ${problem}.`,
      task,
      cause,
    });

  /**
   * The answer for a client: a generation, or the error of a task that has ended without a result. To a client, that is
   * an answer like any other.
   */
  function delivered(found, reference, event, info) {
    const isEnd = found instanceof TaskFailedError;
    event.task = (isEnd ? found.task : found)?.task_id;
    if (isEnd) report(found, event);
    const costs = costsOf(isEnd ? found.body : found);
    Object.assign(event, loggedCosts({ billing_transaction_id: info.billingTransactionId, ...costs }));

    const generation = isEnd
      ? publicFailure(found.body, found instanceof TaskCancelledError, showCosts)
      : publicGeneration(found, showCosts);
    const answer = answers.json(200, rename(generation, reference), info, isEnd);
    if (generation.status !== 'completed' && info.retryAfterMs > 0) setRetryAfter(answer, info.retryAfterMs);
    if (showCosts && event.billingTransactionId) answer.headers[BILL_HEADER] = event.billingTransactionId;
    return answer;
  }

  function refused(error, event, prompt) {
    report(error, event, prompt);
    return answerTo(error, event);
  }

  /**
   * The answer to an error upstream, beside its `outcome` and `retryAfterMs`.
   *
   * @param {object} error or its fields, as the hub has them
   * @param {object} event
   */
  function answerTo(error, event) {
    note(error, event);
    const { status, body, requestId, retryAfterMs } = publicError(error);
    const answer = answers.json(status, body, { requestId }, true);
    if (retryAfterMs) setRetryAfter(answer, retryAfterMs);
    return { ...answer, outcome: error.outcome, retryAfterMs };
  }

  /** Adds what failed upstream to the event of the request. */
  function note({ status = 0, outcome, kind, code, requestId }, event) {
    Object.assign(event, { upstreamStatus: status, outcome, code: publicCode(code) ?? kind, requestId });
  }

  /** Logs for the operator what a client must not know, and cuts the prompt out of the message. */
  function report(error, event, prompt) {
    note(error, event);
    const { upstream, model, identity, code, outcome, requestId } = event;
    const { kind, status = 0 } = error;
    log({
      event: 'upstream_failed',
      upstream,
      model,
      identity,
      kind,
      code,
      status,
      outcome,
      requestId,
      message: prompt ? withoutPrompt(error.message, prompt) : error.message,
      error,
    });
  }

  return { create, poll, models, answerTo };
}
