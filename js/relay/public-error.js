/**
 * The part of the service's answers that a client may see. Answers, polls, streams and sockets of the relay and of the
 * hub all pass through here.
 *
 * The service writes its errors for the owner of the key: they may name the account, its e-mail address and its
 * balance. So fields pass by name, codes by their alphabet, and texts only if they do not mention the account.
 */

/** The service uses these statuses for problems of the account. */
const ACCOUNT_STATUSES = [401, 402, 403];
/** A refusal that concerns the task alone, despite its status. */
const NOT_OWNED = 'task_not_owned';
/** A refusal that concerns the model alone. */
const NOT_ALLOWED = 'model_not_allowed';
/** Names of fields, and parts of codes, that concern the account. */
const ACCOUNT_NAME =
  /account|arrear|balance|billing|budget|cost|credit|funds|quota|e-?mail|organi[sz]ation|api_?key|invoice|tenant/i;
/** Texts that concern the account. Gateways of the same kind as the service write theirs in Chinese as well. */
const ACCOUNT_TEXT =
  /account|arrear|balance|billing|budget|\bcredits?\b|\bfunds\b|\bquota\b|\bspend(ing)?\b|top.?up|recharge|subscription|invoice|payment|api.?key|organi[sz]ation|\b(sk|mt)-|[余餘][额額]|[额額]度|[账帐帳賬][户戶号號单單]|充值|欠[费費]|令牌/i;
const E_MAIL = /[^\s@<>"']{1,64}@[^\s@<>"']{1,64}\.[^\s@<>"',;]{1,64}/g;
const AMOUNT = /[$€£¥＄￥]\s?-?\d[\d.,]*|\b\d[\d.,]*\s?((USD|EUR|CNY|RMB|dollars?)\b|元)/g;
/** A text that begins like a key, such as a masked key, is neither a code nor a field. */
const CODE = /^(?!(?:sk|mt)-)[\w.:/-]{1,64}$/i;
const PARAM = /^(?!(?:sk|mt)-)[\w.[\]-]{1,64}$/i;
const REQUEST_ID = /^[!-~]{1,200}$/;
const BILL = /^[!-~]{1,200}$/;

const MAX_TEXT_LENGTH = 2000;
const MAX_ITEMS = 50;
const MAX_DEPTH = 4;

const REQUEST_TIMEOUT = 408;
const GATEWAY_TIMEOUT = 504;
/** The hint of a failure that only the operator can do something about. */
export const LOG_HINT = "The relay's log says why.";
/** No `Response` can have a greater one. */
const MAX_STATUS = 599;

/** A text without e-mail addresses and amounts of money, or `undefined` if it concerns the account. */
export function publicText(value) {
  if (typeof value !== 'string' || value === '') return undefined;
  // Cut first, so that the patterns search a bounded text.
  const text = value.slice(0, MAX_TEXT_LENGTH);
  return ACCOUNT_TEXT.test(text) ? undefined : text.replace(E_MAIL, '[e-mail]').replace(AMOUNT, '[amount]');
}

/** A code of the service that a log or a page may show as it is, or `undefined`. */
export const publicCode = (value) => (typeof value === 'string' && CODE.test(value) ? value : undefined);

const publicNumber = (value) => (Number.isFinite(value) ? value : undefined);

/** Any JSON, as far as it is short and shallow and does not concern the account. */
function publicValue(value, depth = MAX_DEPTH) {
  if (typeof value === 'string') return publicText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return undefined;
  if (Array.isArray(value)) {
    return value
      .slice(0, MAX_ITEMS)
      .map((item) => publicValue(item, depth - 1))
      .filter((item) => item !== undefined);
  }
  return pick(
    Object.keys(value)
      .filter((name) => !ACCOUNT_NAME.test(name))
      .slice(0, MAX_ITEMS)
      .map((name) => [name, publicValue(value[name], depth - 1)]),
  );
}

/** An object of the entries that are not `undefined`. */
const pick = (entries) => Object.fromEntries(entries.filter(([, value]) => value !== undefined));

/** The fields of an error that help a client, each with its reader. */
const FIELDS = {
  type: publicCode,
  code: publicCode,
  param: (value) => (typeof value === 'string' && PARAM.test(value) ? value : undefined),
  hint: publicText,
  did_you_mean: publicText,
  suggestions: publicValue,
  alternatives: publicValue,
  supported_parameters: publicValue,
  supported_operations: publicValue,
  allowed_resolutions: publicValue,
  allowed_aspect_ratios: publicValue,
  prompt_max_characters: publicNumber,
  request_id: (value) => (typeof value === 'string' && REQUEST_ID.test(value) ? value : undefined),
  recommended_request: publicValue,
  retryable: (value) => (typeof value === 'boolean' ? value : undefined),
  retry_after: publicNumber,
};

/** The service's reason for a refusal: the first text in the places where services put it. */
function reasonOf(body) {
  if (typeof body !== 'object' || body === null) return undefined;
  const { error, message, detail, errors, data } = body;
  const ofPictures = listOf(data).flatMap((picture) => [picture?.error?.message, picture?.error]);
  const texts = [error?.message, error, message, ...listOf(detail), ...listOf(errors), ...ofPictures];
  return texts.map(textOf).find((text) => text !== undefined);
}

const listOf = (value) => (Array.isArray(value) ? value.slice(0, MAX_ITEMS) : [value]);

/** A text, or that of an item of a list of errors: `{ message }`, or FastAPI's `{ msg, loc }`. */
function textOf(item) {
  if (typeof item === 'string') return item || undefined;
  const text = Object(item).message ?? Object(item).msg ?? Object(item).detail;
  if (typeof text !== 'string' || text === '') return undefined;
  const place = Array.isArray(item.loc) ? item.loc.join('.') : item.field;
  return typeof place === 'string' && place ? `${place}: ${text}` : text;
}

/** The service's complaints, field by field. */
function validationErrors(body) {
  const listed = Object(body).validation_errors;
  if (!Array.isArray(listed)) return undefined;
  return listed.slice(0, MAX_ITEMS).map((item) => {
    const { field, message, code } = Object(item);
    return pick([
      ['field', FIELDS.param(field)],
      ['message', publicText(message)],
      ['code', publicCode(code)],
    ]);
  });
}

/** The fields of an `error` object that help a client. */
const publicFields = (error) =>
  pick(Object.entries(FIELDS).map(([name, read]) => [name, read(Object(error)[name])]));

/** @param {{ code?: string, type?: string }} fields */
const concernsAccount = ({ code, type }) => [code, type].some((name) => ACCOUNT_NAME.test(name ?? ''));

const relayError = (code, message, more) => ({ error: { message, type: 'relay_error', code, ...more } });

/**
 * An error of the service as a client may see it.
 *
 * @param {Record<string, any>} failure a `LemonDataError`, or the plain fields of one
 * @returns {{ status: number, body: { error: Record<string, unknown>, validation_errors?: object[] },
 *   requestId?: string, retryAfterMs?: number }} the HTTP status and the JSON of the answer, and what its headers say
 */
export function publicError({ status = 0, outcome, requestId, retryAfterMs, code, type, body }) {
  const headers = pick([
    ['requestId', REQUEST_ID.test(requestId ?? '') ? requestId : undefined],
    ['retryAfterMs', retryAfterMs > 0 ? retryAfterMs : undefined],
  ]);
  if (outcome === 'not_sent') {
    const message = 'The relay could not send the request.';
    return { status: 503, body: relayError('relay_error', message, { retryable: true, hint: LOG_HINT }) };
  }
  // The body may not have been kept, and its code may stand elsewhere.
  const fields = publicFields({ code, type, ...Object(Object(body).error) });
  if (status === 403 && [fields.code, fields.type].includes(NOT_OWNED)) {
    const message = 'The task belongs to another account of the service.';
    const hint = 'The relay created it with a key of that account.';
    return { ...headers, status, body: { error: { ...fields, message, hint } } };
  }
  if (status === 403 && [fields.code, fields.type].includes(NOT_ALLOWED)) {
    // A client may go on to another model.
    const message = 'The account of this relay may not use the model.';
    return { ...headers, status, body: relayError(NOT_ALLOWED, message, { hint: LOG_HINT }) };
  }
  if (ACCOUNT_STATUSES.includes(status) || (status >= 400 && concernsAccount(fields))) {
    const message = 'The service refused the account of this relay.';
    return { ...headers, status: 403, body: relayError('upstream_refused', message, { hint: LOG_HINT }) };
  }
  // A redirect is the operator's to mend. "Not modified" is no redirect.
  if (status >= 300 && status < 400 && status !== 304) {
    const message = 'The service of this relay has moved.';
    return { ...headers, status: 403, body: relayError('upstream_refused', message, { hint: LOG_HINT }) };
  }
  if (status < 400 || status > MAX_STATUS) {
    // Without an answer that can be understood, the effect of a create is unknown.
    const reason = status < 300 && !concernsAccount(fields) ? publicText(reasonOf(body)) : undefined;
    const message = `The service gave no answer that can be used${reason ? `: ${reason}` : '.'}`;
    const more = pick([['retryable', fields.retryable]]);
    return { ...headers, status: 502, body: relayError('upstream_error', message, more) };
  }
  // The service writes the texts of its own failures for its own engineers.
  const isInternal = status >= 500;
  if (isInternal) delete fields.hint;
  const reason = isInternal ? undefined : publicText(reasonOf(body));
  const message = reason ?? 'The service could not carry the request out.';
  const validation = isInternal ? undefined : validationErrors(body);
  return {
    ...headers,
    // Browsers repeat a request by themselves that is answered with 408, a create among them.
    status: status === REQUEST_TIMEOUT ? GATEWAY_TIMEOUT : status,
    body: { error: { message, ...fields }, ...(validation && { validation_errors: validation }) },
  };
}

/** What a picture has cost. The operator decides whether clients see it. */
const COST_FIELDS = ['billing_transaction_id', 'usage'];
/** The fields of a failed task that a client may see, beside its error. */
const FAILED_FIELDS = ['id', 'task_id', 'created', 'progress', 'model', 'cancellation_status'];

/**
 * A task that has ended without a result, as a client may see it. Its reason stays, since it mostly concerns the
 * prompt. The status becomes the documented one.
 *
 * @param {Record<string, any> | undefined} body as the service sent it
 * @param {boolean} isCancelled
 * @param {boolean} [showCosts]
 * @returns {Record<string, unknown>} with `error`, and without pictures
 */
export function publicFailure(body, isCancelled, showCosts = false) {
  const { status } = Object(body);
  return {
    ...pick(FAILED_FIELDS.map((name) => [name, publicValue(Object(body)[name])])),
    ...(showCosts && costsOf(body)),
    ...(status !== 'failed' && publicCode(status) && { provider_status: status }),
    ...(isCancelled && { cancelled: true }),
    status: 'failed',
    data: [],
    error: publicReason(body),
  };
}

/** The reason why a task, or one picture of it, has failed. */
function publicReason(body) {
  const fields = publicFields(Object(body).error);
  if (concernsAccount(fields)) {
    return { code: 'upstream_refused', message: 'The service refused the account of this relay.' };
  }
  const message = publicText(reasonOf(body)) ?? 'The service could not carry the task out.';
  return typeof Object(body).error === 'string' ? message : { message, ...fields };
}

/**
 * A generation as a client may see it, without the fields that concern the account, such as a balance or a billing
 * transaction. Pictures pass as they are.
 *
 * @param {Record<string, any>} generation
 * @param {boolean} [showCosts]
 * @returns {Record<string, any>}
 */
export function publicGeneration({ data, error, ...rest }, showCosts = false) {
  const isPublic = (name) => (COST_FIELDS.includes(name) ? showCosts : !ACCOUNT_NAME.test(name));
  const result = Object.fromEntries(Object.entries(rest).filter(([name]) => isPublic(name)));
  if (error !== undefined && error !== null) result.error = publicReason({ error });
  if (data !== undefined) result.data = Array.isArray(data) ? data.map(publicImage) : data;
  return result;
}

/** What an answer says of its cost. */
export const costsOf = (body) => pick(COST_FIELDS.map((name) => [name, Object(body)[name] ?? undefined]));

/** The same for a log, without a bill that no header could hold. */
export function loggedCosts(body) {
  const { billing_transaction_id: bill, usage } = costsOf(body);
  return pick([
    ['billingTransactionId', typeof bill === 'string' && BILL.test(bill) ? bill : undefined],
    ['usage', usage || undefined],
  ]);
}

/** A picture passes as it is. The entry of a failed picture holds the reason. */
const publicImage = (image) =>
  Object(image).error ? { ...image, error: publicReason({ error: image.error }) } : image;
