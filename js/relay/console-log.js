/** The default log: tells the operator on the console which failure occurs, and what to do. */

const INTERVAL_MS = 60_000;
/** A flood of different failures must not fill the console. */
const MAX_LINES = 100;
const MAX_LINE_LENGTH = 800;
/** The error of a failed connection is the cause of the cause. */
const MAX_CAUSES = 3;

/** What a failing callback entails. */
const CONSEQUENCES = {
  authorize: 'Until it works, the relay answers every request with 503.',
  limiter: 'Until it works, the relay answers every request with 503.',
  user: 'Until it works, the relay answers every create with 503.',
  store: 'Until it works, the relay answers creates with an Idempotency-Key with 503.',
  hub: 'Until it works, the relay answers creates and polls with 503.',
};

/** Kinds of errors whose reason may quote a prompt. The client gets the reason; a console does not. */
export const REASONS_ABOUT_REQUESTS = [
  'invalid_request',
  'not_found',
  'task_not_found',
  'task_failed',
  'task_cancelled',
];
/** Line breaks, escape sequences of terminals, and marks that turn the direction of a text. */
const CONTROLS = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu;

/** What to do about failures whose message names no remedy for the operator. */
const REMEDIES = {
  connection: 'Check baseUrl, and the network of this server.',
  request_timeout: 'The option requestTimeout sets the time.',
  rate_limit: 'The option limiter limits each caller.',
};

const asSentence = (text) => (/[.!?]$/.test(text) ? text : `${text}.`);

/** An error and its causes in words. */
function describe(error) {
  const texts = [];
  for (let each = error; each && texts.length < MAX_CAUSES; each = each.cause) {
    texts.push(each instanceof Error ? `${each.name}: ${each.message || Object(each).code}` : String(each));
  }
  return asSentence(texts.join(' ← '));
}

/** The line about an event, and the cause that lines are counted by. The line may hold an id, the cause does not. */
function lineOf({ event, error, message, kind, status, code, requestId, upstream }) {
  if (event === 'refused' || event === 'misconfigured') return [code, message];
  if (event === 'failed') {
    return [describe(error), `a bug: ${describe(error)} Please report it.`];
  }
  if (event !== 'upstream_failed') {
    const name = event.replace('_failed', '');
    return [event + describe(error), `${name} failed: ${describe(error)} ${CONSEQUENCES[name]}`];
  }
  // What was not sent is wrong here: it is a setting.
  const isForClient = error.outcome !== 'not_sent' && REASONS_ABOUT_REQUESTS.includes(kind);
  const reason = isForClient
    ? `A ${upstream} failed: ${code}. Its client has the reason.`
    : asSentence(message);
  const cause = error.cause && `Cause: ${describe(error.cause)}`;
  const id = requestId && `Request id: ${requestId}.`;
  return [
    [upstream, kind, status, code].join(' '),
    [reason, cause, REMEDIES[kind], id].filter(Boolean).join(' '),
  ];
}

/**
 * Writes each failure once for each cause and minute. Requests are not written.
 *
 * @param {object} options
 * @param {() => number} options.now
 * @param {(text: string) => string} options.redact removes the key from a text
 * @returns {(event: object) => void}
 */
export function createConsoleLog({ now, redact }) {
  /** When a cause was last written, in that order. */
  const written = new Map();

  return (event) => {
    if (event.event === 'request') return;
    const [cause, text] = lineOf(event);
    for (const [old, at] of written) {
      if (now() - at < INTERVAL_MS) break;
      written.delete(old);
    }
    if (written.has(cause) || written.size >= MAX_LINES) return;
    written.set(cause, now());
    // The service may quote what a caller has sent, which must not pass for another line or command the terminal.
    const line = `lemondata-wasm relay: ${text}`.replace(CONTROLS, ' ');
    console.error(redact(line.slice(0, MAX_LINE_LENGTH)));
  };
}
