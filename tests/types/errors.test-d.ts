/** The error classes, told apart by `instanceof` and by `kind`. */

import { expectTypeOf } from 'expect-type';
import {
  type AnyLemonDataError,
  type AuthenticationError,
  type CallbackError,
  type ConnectionError,
  type ErrorKind,
  type InternalError,
  type InvalidRequestError,
  LemonDataError,
  type NotFoundError,
  type Outcome,
  type PaymentRequiredError,
  type PermissionDeniedError,
  type PollBudgetError,
  RateLimitError,
  type RequestTimeoutError,
  type ResponseError,
  type ServerError,
  type SkippedModel,
  type Suggestion,
  type Task,
  TaskCancelledError,
  TaskFailedError,
  type TaskNotFoundError,
  type UntrustedUrlError,
  WaitTimeoutError,
  waitForTask,
} from 'lemondata-wasm';

declare const thrown: unknown;

expectTypeOf<AnyLemonDataError['kind']>().toEqualTypeOf<ErrorKind>();
expectTypeOf<AnyLemonDataError>().toExtend<LemonDataError>();
expectTypeOf<LemonDataError>().toExtend<Error>();
expectTypeOf<TaskCancelledError>().toExtend<TaskFailedError>();

expectTypeOf<InvalidRequestError['kind']>().toEqualTypeOf<'invalid_request'>();
expectTypeOf<AuthenticationError['kind']>().toEqualTypeOf<'authentication'>();
expectTypeOf<PaymentRequiredError['kind']>().toEqualTypeOf<'payment_required'>();
expectTypeOf<PermissionDeniedError['kind']>().toEqualTypeOf<'permission_denied'>();
expectTypeOf<NotFoundError['kind']>().toEqualTypeOf<'not_found'>();
expectTypeOf<RateLimitError['kind']>().toEqualTypeOf<'rate_limit'>();
expectTypeOf<ServerError['kind']>().toEqualTypeOf<'server'>();
expectTypeOf<TaskNotFoundError['kind']>().toEqualTypeOf<'task_not_found'>();
expectTypeOf<TaskFailedError['kind']>().toEqualTypeOf<'task_failed' | 'task_cancelled'>();
expectTypeOf<TaskCancelledError['kind']>().toEqualTypeOf<'task_cancelled'>();
expectTypeOf<ConnectionError['kind']>().toEqualTypeOf<'connection'>();
expectTypeOf<RequestTimeoutError['kind']>().toEqualTypeOf<'request_timeout'>();
expectTypeOf<ResponseError['kind']>().toEqualTypeOf<'response'>();
expectTypeOf<WaitTimeoutError['kind']>().toEqualTypeOf<'wait_timeout'>();
expectTypeOf<PollBudgetError['kind']>().toEqualTypeOf<'poll_budget'>();
expectTypeOf<UntrustedUrlError['kind']>().toEqualTypeOf<'untrusted_url'>();
expectTypeOf<CallbackError['kind']>().toEqualTypeOf<'callback'>();
expectTypeOf<InternalError['kind']>().toEqualTypeOf<'internal'>();

// The base class makes the union of an unknown value, and a switch over it knows every class.
if (thrown instanceof LemonDataError) {
  expectTypeOf(thrown).toEqualTypeOf<AnyLemonDataError>();
  expectTypeOf(thrown.outcome).toEqualTypeOf<Outcome>();
  expectTypeOf(thrown.status).toEqualTypeOf<number | undefined>();
  expectTypeOf(thrown.code).toEqualTypeOf<string | undefined>();
  expectTypeOf(thrown.type).toEqualTypeOf<string | undefined>();
  expectTypeOf(thrown.param).toEqualTypeOf<string | undefined>();
  expectTypeOf(thrown.hint).toEqualTypeOf<string | undefined>();
  expectTypeOf(thrown.didYouMean).toEqualTypeOf<string | undefined>();
  expectTypeOf(thrown.suggestions).toEqualTypeOf<Suggestion[] | undefined>();
  expectTypeOf(thrown.alternatives).toEqualTypeOf<Suggestion[] | undefined>();
  expectTypeOf(thrown.supportedParameters).toEqualTypeOf<string[] | undefined>();
  expectTypeOf(thrown.supportedOperations).toEqualTypeOf<string[] | undefined>();
  expectTypeOf(thrown.allowedResolutions).toEqualTypeOf<string[] | undefined>();
  expectTypeOf(thrown.allowedAspectRatios).toEqualTypeOf<string[] | undefined>();
  expectTypeOf(thrown.promptMaxCharacters).toEqualTypeOf<number | undefined>();
  expectTypeOf(thrown.recommendedRequest).toEqualTypeOf<{ [name: string]: unknown } | undefined>();
  expectTypeOf(thrown.skippedModels).toEqualTypeOf<SkippedModel[] | undefined>();
  expectTypeOf(thrown.balanceUsd).toEqualTypeOf<number | undefined>();
  expectTypeOf(thrown.estimatedCostUsd).toEqualTypeOf<number | undefined>();
  expectTypeOf(thrown.requestId).toEqualTypeOf<string | undefined>();
  expectTypeOf(thrown.retryAfterMs).toEqualTypeOf<number | undefined>();
  expectTypeOf(thrown.body).toBeUnknown();
  expectTypeOf(thrown.task).toEqualTypeOf<Task | undefined>();
  expectTypeOf(thrown.cause).toBeUnknown();
  expectTypeOf(thrown.toJSON()).toEqualTypeOf<Record<string, unknown>>();
  // @ts-expect-error: a misspelt kind
  thrown.kind === 'rate_limited';
  // @ts-expect-error: no such field
  thrown.statusCode;
  // @ts-expect-error: not to be changed
  thrown.outcome = 'rejected';
  described(thrown);
}

// Every other class makes itself.
if (thrown instanceof RateLimitError) expectTypeOf(thrown).toEqualTypeOf<RateLimitError>();
if (thrown instanceof TaskFailedError) expectTypeOf(thrown.outcome).toEqualTypeOf<'failed'>();
if (thrown instanceof TaskCancelledError) expectTypeOf(thrown.kind).toEqualTypeOf<'task_cancelled'>();
if (thrown instanceof WaitTimeoutError) waitForTask(thrown.task);

function described(error: AnyLemonDataError): string {
  switch (error.kind) {
    case 'invalid_request':
      expectTypeOf(error).toEqualTypeOf<InvalidRequestError>();
      return 'fix the request';
    case 'authentication':
      expectTypeOf(error).toEqualTypeOf<AuthenticationError>();
      return 'check the key';
    case 'payment_required':
      expectTypeOf(error).toEqualTypeOf<PaymentRequiredError>();
      return 'top up';
    case 'rate_limit':
      expectTypeOf(error).toEqualTypeOf<RateLimitError>();
      return `wait ${error.retryAfterMs ?? 0} ms`;
    case 'task_failed':
    case 'task_cancelled':
      expectTypeOf(error).toExtend<TaskFailedError>();
      expectTypeOf(error.outcome).toEqualTypeOf<'failed'>();
      return 'try another prompt';
    case 'wait_timeout':
    case 'poll_budget':
    case 'untrusted_url':
    case 'callback':
      // These are never without a task, and the task is never over.
      expectTypeOf(error.task).toEqualTypeOf<Task>();
      expectTypeOf(error.outcome).toEqualTypeOf<'accepted'>();
      return error.task.task_id;
    case 'permission_denied':
    case 'not_found':
    case 'server':
    case 'task_not_found':
    case 'connection':
    case 'request_timeout':
    case 'response':
    case 'internal':
      return error.message;
    default:
      // Complete: a class that is added has to be added here.
      expectTypeOf(error).toBeNever();
      return error;
  }
}

// A test of the caller's own may make an error, and its tools take the classes for what they are.
new RateLimitError({ kind: 'rate_limit', outcome: 'rejected', message: 'slow down', retryAfterMs: 1_000 });
// @ts-expect-error: no outcome
new RateLimitError({ kind: 'rate_limit', message: 'slow down' });
expectTypeOf(RateLimitError).toExtend<new (...args: never[]) => Error>();
