/**
 * Mutations that break a promise on purpose, by the rules of the design. Each has to turn a test red.
 *
 * A mutation replaces a text that occurs once in the files of its part. Short texts survive a refactoring: prefer a
 * condition or a constant, without the names of variables where possible. `npm run test:mutants` covers the rest.
 *
 * @typedef {[name: string, from: string, to: string]} Mutation
 * @typedef {Record<string, Mutation[]>} Rules
 */

/** @type {Rules} */
export const CORE = {
  'never pays twice': [
    [
      'a create that was refused for good is repeated',
      'Outcome::Rejected => is_temporary',
      'Outcome::Rejected => true || is_temporary',
    ],
    [
      'a create with an unknown outcome is repeated without an idempotency key',
      'Outcome::Unknown => self.replayable',
      'Outcome::Unknown => true',
    ],
    [
      'a 503 counts as refused without `retryable`',
      'status == 503 && error.flag_of(Name::Retryable) == Some(true)',
      'status == 503',
    ],
    ['a 408 counts as refused', '304 | 408 | 500.. => Kind::Server', '304 | 500.. => Kind::Server'],
    [
      'a lost create counts as not sent',
      '{ Outcome::Unknown } else { Outcome::NotSent }',
      '{ Outcome::NotSent } else { Outcome::NotSent }',
    ],
    ['a refusal behind an unknown attempt counts as rejected', 'self.create.may_be_billed()', 'false'],
    [
      'a create is repeated once too often',
      'self.failures == self.max_retries',
      'self.failures > self.max_retries',
    ],
  ],
  'never loses a task': [
    ['a 500 ends a wait', 'Kind::RateLimit | Kind::Server => true,', 'Kind::RateLimit => true,'],
    [
      'a silent stream whose poll is over has another one sent at once',
      'Event::Elapsed) if now < self.until =>',
      'Event::Elapsed) =>',
    ],
    [
      'an unreadable answer ends a wait',
      'Kind::Response => answer.is_success(),',
      'Kind::Response => false,',
    ],
    ['the first 404 ends a wait', 'core::mem::replace(&mut self.missed, true)', 'true'],
    [
      'a 404 right after the create counts',
      'Origin::Created(_) => now + FRESH,',
      'Origin::Created(_) => now,',
    ],
    ['the other path is not tried', 'core::mem::swap(&mut self.path, &mut self.other_path);', ''],
    [
      'an id is polled at the wrong path',
      'id.starts_with("img_") != other',
      'id.starts_with("img_") == other',
    ],
    ['lost polls are repeated in step', '.min(BACKOFF_CAP) * random', '.min(BACKOFF_CAP)'],
    ['the failure of a wait calls its task refused', 'self.outcome = Outcome::Accepted;', ''],
    ['a suspended wait ends without a last poll', ' && left > -SUSPENDED.0', ''],
  ],
  'never leaks the key': [
    ['the key goes to another origin', 'origin != self.origin || ', ''],
    ['the key goes to a blob URL', ' || !path.starts_with("/")', ''],
    [
      'a path with the same first letters counts as inside the prefix',
      '.is_some_and(|rest| rest.starts_with("/"))',
      '.is_some()',
    ],
    ['the task keeps a foreign poll_url', 'task.poll_url = String::new();', ''],
    ['a redirect counts as a server error', '0 | 300..=303 | 305..=399', '300..=303 | 305..=399'],
  ],
  'never hangs': [
    ['a wait sleeps beyond its deadline', 'now + gap.min(self.left(now))', 'now + gap'],
    ['a poll outlasts the deadline', '.min(self.deadline.max(now + LAST_POLL))', ''],
    ['a wait exceeds maxPolls', 'self.polls >= self.max_polls', 'self.polls > self.max_polls'],
    ['the sleeps of a create have no limit', 'self.slept + sleep > SLEEP_BUDGET', 'false'],
    ['a silent stream is kept', 'self.answered_at + SILENT', 'f64::INFINITY'],
    ['the clock runs backwards', '(reading - source.reading).max(0.0)', '(reading - source.reading)'],
    ['a frozen monotonic clock stops the time', 'zip([monotonic, wall])', 'zip([monotonic, monotonic])'],
  ],
  "reads the answer, not the model's name": [
    ['a running task with a preview counts as completed', '(!is_running || task.is_none())', 'true'],
    ['a completed task needs no result', 'Word::Done if has_result =>', 'Word::Done =>'],
    [
      'a status counts in lower case only',
      'word.eq_ignore_ascii_case(status.as_bytes())',
      'word == status.as_bytes()',
    ],
    ['a placeholder counts as a picture', 'Shape::FILLED) != 0', '!Shape::NOTHING) != 0'],
    ['dots count as an id', '"" | "." | ".."', '""'],
  ],
  "server's hints rule": [
    ['an error has no Retry-After', 'longer_pause(answer.retry_after, error);', 'Ms::ZERO;'],
    ['a slow onTask lengthens the wait', 'origin, self.answered_at, random', 'origin, now, random'],
    ['the Retry-After of a create is ignored', 'self.pause = answer.retry_after;', ''],
    ['a poll takes the shorter of its gap and Retry-After', '.max(retry_after + (', '.min(retry_after + ('],
    [
      'waits that were put off together return together',
      'retry_after + (cadence - self.poll_min)',
      'retry_after',
    ],
    [
      'the hint in the body is ignored',
      'header.max(Ms(error.number_of(Name::RetryAfter) * 1_000.0))',
      'header',
    ],
    [
      'a wait sleeps although the hint exceeds its deadline',
      'self.is_last || retry_after > self.left(now)',
      'self.is_last',
    ],
    [
      'a poll is repeated in spite of `retryable: false`',
      'if is_passing && !failure.is_final {',
      'if is_passing {',
    ],
  ],
  'big payloads stay in JavaScript': [
    [
      'a payload is copied to see whether it is empty',
      'value.mask(first, ',
      '{ value.text_of(Name::B64Json); } value.mask(first, ',
    ],
  ],
};

/** @type {Rules} */
export const CLIENT = {
  'never pays twice': [
    ['a sent create counts as not sent', '.isSent = true;', '.isSent = false;'],
    ['every lost connection counts as refused', 'matches(cause, NOT_CONNECTED)', 'cause'],
    ['an aborted call still sends its request', 'if (signal.aborted) return;', ''],
    ['a create has no idempotency key', "headers.set('idempotency-key', idempotencyKey)", 'undefined'],
  ],
  'never loses a task': [
    ['the return of the network wakes no wait', "globalThis[method]?.('online', this);", ''],
    [
      'an error that a transport makes is a redirect that bills nothing',
      "if (response.type === 'error') throw response;",
      '',
    ],
  ],
  'never leaks the key': [
    ['redirects are followed', "body, redirect: 'manual'", "body, redirect: 'follow'"],
    ['only the first echo of the key is redacted', '.replaceAll(secret', '.replace(secret'],
    ['the JSON of an error has its cause', '...this };', '...this, cause: this.cause };'],
    ['calls with different keys share a poll', '[url, key, ...headers', '[url, ...headers'],
  ],
  'never hangs': [
    [
      'another copy of the package does not know its errors',
      "Symbol.for('lemondata-wasm.error')",
      "Symbol('lemondata-wasm.error')",
    ],
  ],
  "reads the answer, not the model's name": [
    ['a cache may answer a poll', "init.cache = 'no-store'", "init.cache = 'default'"],
  ],
};
