/** Texts of the page: times, amounts, and errors with the next step. */

/** @param {number} ms */
export function duration(ms) {
  const whole = Math.max(0, Math.round(ms / 1000));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** The time that a picture took. @param {number} ms */
export const tookTime = (ms) => (ms < 1000 ? 'less than 1 s' : duration(ms));

/** @param {number} bytes */
export function amount(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  if (bytes < 1e6) return `${Math.round(bytes / 1000)} KB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

const DOLLARS = new Intl.NumberFormat('en', {
  style: 'currency',
  currency: 'USD',
  minimumFractionDigits: 2,
  maximumFractionDigits: 4,
});

/** @param {number} amount */
export const dollars = (amount) => DOLLARS.format(amount);

/**
 * The price of a generation, where the service says it: in dollars, else in tokens.
 *
 * @param {Record<string, any>} answer
 * @returns {string | undefined}
 */
export function costOf({ usage, cost_usd, cost }) {
  const { total_tokens, cost: used, cost_usd: usedUsd } = Object(usage);
  const usd = [cost_usd, usedUsd, cost, used].find((value) => typeof value === 'number');
  if (usd !== undefined) return dollars(usd);
  return typeof total_tokens === 'number' ? `${total_tokens.toLocaleString('en')} tokens` : undefined;
}

/**
 * The time of the next poll: a range, because each gap is drawn at random.
 *
 * @param {{ from: number, to: number }} next
 * @param {number} now
 */
export function countdown({ from, to }, now) {
  const [least, most] = [from - now, to - now].map((ms) => Math.ceil(ms / 1000));
  if (most <= 0) return 'Next poll any moment';
  if (least <= 0) return `Next poll within ${most} s`;
  return least === most ? `Next poll in about ${most} s` : `Next poll in ${least}–${most} s`;
}

/** @type {(prompt: string, length?: number) => string} */
export const short = (prompt, length = 48) =>
  // Not within a character of two units, such as an emoji.
  prompt.length <= length
    ? prompt
    : `${prompt
        .slice(0, length - 1)
        .replace(/\p{Surrogate}$/u, '')
        .trimEnd()}…`;

/**
 * The model and the settings of a request.
 *
 * @param {Omit<import('lemondata-wasm').ImageRequest, 'prompt'>} request
 * @param {import('./sources.js').SourceNames} [sources]
 */
export function meta({ model, size, aspect_ratio, resolution, n, quality, style }, sources) {
  const parts = [model, size?.replace('x', ' × '), aspect_ratio, resolution, quality, style];
  if (sources) parts.push(sources.action === 'edit' ? 'an edit' : 'with a reference');
  if (n && n > 1) parts.push(`${n} pictures`);
  return parts.filter(Boolean).join(' · ');
}

/**
 * The title and the next step of each outcome.
 *
 * @type {Record<string, [string, string]>}
 */
const OUTCOMES = {
  not_sent: ['Not sent', 'Nothing is billed. Change the request and generate again.'],
  rejected: ['Refused', 'Nothing is billed. Change the request, or try again later.'],
  accepted: ['The wait has ended', 'The task may still complete: wait for it again.'],
  failed: ['The task failed', 'Change the prompt or the model, then try again.'],
  unknown: ['Outcome unknown', 'It may be billed: look at your account before you try again.'],
};

/**
 * The title and the next step of kinds that say more than their outcome.
 *
 * @type {Record<string, [string, string?]>}
 */
const KINDS = {
  rate_limit: ['Too many requests', 'Nothing is billed. Wait a little, then try again.'],
  connection: ['The connection was lost'],
  request_timeout: ['No answer in time'],
  wait_timeout: ['Still not finished', 'The task goes on: wait for it again.'],
  task_not_found: ['The task is gone', 'The server has no such task any more. Try again for a new one.'],
  task_cancelled: ['The task was cancelled', 'Try again for a new one.'],
  no_picture: ['No picture', 'It may be billed. Change the prompt or the model before you try again.'],
  internal: ['A bug of this package', 'Reload the page. A report with the details below would help.'],
};

/**
 * What happened, where the client's own message talks of methods and paths, which the details show.
 *
 * @type {Record<string, string>}
 */
const MESSAGES = {
  connection: 'The connection broke before the answer had arrived.',
  request_timeout: 'The server did not answer in time.',
  server: 'The server has a problem of its own.',
  rate_limit: 'The server takes no more requests at the moment.',
  wait_timeout: 'The task had not finished when the wait ended.',
  task_not_found: 'The server does not know this task.',
  response: 'The answer of the server cannot be read.',
};
/** Methods, paths, option names. */
const API_TALK = /\b(GET|POST|DELETE) |\/v1\/|\bmax(Wait|Polls)\b/;
/** A signed reference of the relay: it is long, and means nothing to a person. */
const REFERENCE = /\s?\bt_[\w-]+\.[\w-]+/g;
/**
 * A text of the client or of the service without references, and without sentences for developers.
 *
 * @type {(text: string) => string}
 */
function forPeople(text) {
  const sentences = text.replace(REFERENCE, '').split(/(?<=[.!?])\s+/);
  return sentences.filter((sentence) => !API_TALK.test(sentence)).join(' ');
}

/** Codes by which services say that the prompt is what they refuse. */
const POLICY = /content|policy|moderation|safety|nsfw|sensitive|prompt/i;

/**
 * The step that can help after an error: the same request again, or a changed one.
 *
 * @param {any} error
 * @returns {'again' | 'prompt' | 'settings' | 'pictures'}
 */
function remedyOf({ kind, outcome, code, param }) {
  if (kind === 'sources') return 'pictures';
  const isPrompt = param === 'prompt' || POLICY.test(code ?? '');
  if (isPrompt && ['rejected', 'failed', 'not_sent'].includes(outcome ?? '')) return 'prompt';
  const isRefused = ['invalid_request', 'not_found', 'permission_denied'].includes(kind ?? '');
  return isRefused && ['rejected', 'not_sent'].includes(outcome ?? '') ? 'settings' : 'again';
}

/**
 * The title and the next step of a refused account, by the status of the service.
 *
 * @type {Record<number, [string, string]>}
 */
const ACCOUNTS = {
  401: ['The key is not accepted', 'Check LEMONDATA_API_KEY where npm start runs, then start it again.'],
  402: ['The balance is used up', 'Nothing is billed. Top up the account, then try again.'],
  403: ['The key may not do this', 'Nothing is billed. Choose another model, or allow this one for the key.'],
};

/**
 * @param {any} error of the client, or read from the journal
 * @param {{ status: number, code: string }} [account] the reason why the service refused the account
 * @returns {{ title: string, message: string, hint?: string, next?: string, remedy: 'again' | 'prompt' | 'settings' | 'pictures', models: string[], facts: [string, string][] }}
 */
export function explain(error, account = error.account) {
  const { kind = '', outcome = '', status, code, param, hint, message, requestId, task } = error;
  const remedy = account ? 'again' : remedyOf(error);
  const [title = 'This page has failed', next] = OUTCOMES[outcome] ?? [];
  const [specificTitle = title, step = next] = account
    ? (ACCOUNTS[account.status] ?? [])
    : // Of a lost create, the person first needs to know that it may be billed.
      outcome === 'unknown' && kind !== 'internal' && kind !== 'no_picture'
      ? [KINDS[kind]?.[0]]
      : (KINDS[kind] ?? []);
  // The message ends with the hint, which the page shows on a line of its own.
  const own = hint && message.endsWith(hint) ? message.slice(0, -hint.length).trim() : message;
  // The server's own sentence. Ours adds the path and the status, which the details show.
  const { message: sentence = error.sentence } = /** @type {any} */ (error.body)?.error ?? {};
  const spoken = (typeof sentence === 'string' && forPeople(sentence)) || forPeople(own);
  const facts = {
    kind,
    outcome,
    status,
    code: account?.code ?? code,
    param,
    task: task?.task_id?.replace(REFERENCE, ''),
    request: requestId,
  };
  return {
    title: specificTitle,
    message: spoken || (MESSAGES[kind] ?? 'The request has failed.'),
    // The relay's sends to its log, and the title says already what that holds.
    hint: account ? undefined : hint && forPeople(hint),
    next:
      remedy === 'again'
        ? step
        : `${outcome === 'failed' ? '' : 'Nothing is billed. '}${remedy === 'pictures' ? '' : `Change the ${remedy}, then generate again.`}`,
    remedy,
    models: modelsOf(error),
    facts: Object.entries(facts)
      .filter(([, value]) => value !== undefined && value !== '')
      .map(([name, value]) => [name, `${value}`]),
  };
}

/**
 * The models that the server offers instead, the likeliest first.
 *
 * @param {Partial<import('lemondata-wasm').LemonDataError>} error
 * @returns {string[]}
 */
function modelsOf({ didYouMean, suggestions = [], alternatives = [] }) {
  const ids = [didYouMean, ...suggestions.map(({ id }) => id), ...alternatives.map(({ id }) => id)];
  return [...new Set(ids)].flatMap((id) => (typeof id === 'string' && id !== '' ? [id] : [])).slice(0, 3);
}
