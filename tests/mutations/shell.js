/**
 * What is broken on purpose in the shell: the rule of the design that it breaks, what it does, the file in
 * `src/shell`, and the text that is replaced. Each has to turn a test of the built package red.
 *
 * @type {[rule: number, name: string, file: string, from: string, to: string][]}
 */
export const SHELL = [
  [1, 'every loss called unsent', 'http.rs', 'value.flag_of(Name::IsSent) == Some(true)', 'false'],
  [1, 'every loss called sent', 'http.rs', 'value.flag_of(Name::IsSent) == Some(true)', 'true'],
  [
    1,
    'a body that comes too late read as an answer',
    'http.rs',
    'if is_late || status.is_nan()',
    'if status.is_nan()',
  ],
  [
    2,
    'the task of a create unknown to a trap',
    'jobs.rs',
    '        self.call.host.set_task(&reference);\n',
    '',
  ],
  [
    2,
    'onTask not awaited',
    'jobs.rs',
    `        let taken = self.call.host.announce(&reference);
        let until = self.call.options.announce_until(now());
        self.wait_until(Stage::Announcement(task, generation), taken, until)
`,
    `        let _ = self.call.host.announce(&reference);
        self.announced(task, &generation)
`,
  ],
  [4, 'onTask without a deadline', 'jobs.rs', 'self.call.options.announce_until(now())', 'f64::INFINITY'],
  [
    2,
    'the failure of onTask swallowed',
    'jobs.rs',
    'Event::Settled(value) if value.flag_of(Name::IsSent).is_none() => {',
    'Event::Settled(_) => {',
  ],
  [
    2,
    'the failure of a wait forgets the task',
    'jobs.rs',
    `            failure.task = Some(wait.task.clone());
`,
    `            failure.task = None;
`,
  ],
  [
    2,
    'a foreign poll_url forgets the task',
    'jobs.rs',
    `                failure.task = Some(task);
                return`,
    `                failure.task = None;
                return`,
  ],
  [
    2,
    'the outcome left as it was',
    'jobs.rs',
    `            failure.leave_task();
`,
    '',
  ],
  [
    2,
    'a wait without the cause of its last loss',
    'jobs.rs',
    'Verdict::Lost(failure) => self.cause = self.error(failure, &attempt.value)',
    'Verdict::Lost(_) => self.cause = JsValue::UNDEFINED',
  ],
  [
    2,
    'a wait takes its generation for an old one',
    'jobs.rs',
    'Origin::Generated(now() - age)',
    'Origin::Elsewhere',
  ],
  [
    2,
    'a stream that is silent not seen',
    'jobs.rs',
    'self.wait.as_ref().is_some_and(|wait| now() >= wait.silent_at())',
    'false',
  ],
  [
    2,
    'a stream waited for like a poll',
    'jobs.rs',
    'self.request.until.min(wait.silent_at())',
    'self.request.until',
  ],
  [2, 'a wake-up not told to the core', 'jobs.rs', 'wait.wake(now());', ''],
  [
    3,
    'a request without the key that is missing',
    'jobs.rs',
    'if let Err(failure) = check_key(&key, Name::ApiKey) {',
    'if let Err(failure) = check_key(&key, Name::ApiKey) && !key.is_empty() {',
  ],
  [
    3,
    'a key from a function unchecked',
    'jobs.rs',
    'if let Err(failure) = check_key(&key, Name::ApiKey) {',
    'if let Err(failure) = check_key("sk-1", Name::ApiKey) {',
  ],
  [
    3,
    'the query of a poll_url told to onResponse',
    'jobs.rs',
    'without_query(&self.request.path)',
    '&self.request.path',
  ],
  [
    4,
    'headers that cannot be used taken for a lost connection',
    'jobs.rs',
    'if credentials.flag_of(Name::IsRefused).is_some() {',
    'if false {',
  ],
  [
    3,
    'the key kept in the page',
    'call.rs',
    'Environment { browser }',
    'Environment { browser: browser && false }',
  ],
  [
    4,
    'an abort not seen',
    'call.rs',
    'self.given.get(Name::Signal).flag_of(Name::Aborted) == Some(true)',
    'false',
  ],
  [4, 'a time-out not seen', 'call.rs', 'if self.runner.fired.replace(false) {', 'if false {'],
  [
    4,
    'no time-out over the key',
    'jobs.rs',
    'Stage::Credentials, credentials, self.request.until)',
    'Stage::Credentials, credentials, f64::INFINITY)',
  ],
  [
    4,
    'no time-out over the exchange',
    'jobs.rs',
    'Stage::Answer, answer, self.request.until)',
    'Stage::Answer, answer, f64::INFINITY)',
  ],
  [
    4,
    'a fetch that goes on after its call',
    'jobs.rs',
    'if let Some(fetch) = &self.request.fetch {',
    'if let Some(fetch) = self.request.fetch.as_ref().filter(|_| false) {',
  ],
  [
    4,
    'a fetch that goes on after its time-out',
    'jobs.rs',
    '            && is_late\n',
    '            && false\n',
  ],
  [
    4,
    'a timer that outlives its call',
    'call.rs',
    `        if ms < f64::INFINITY {
`,
    `        if ms < f64::INFINITY {
            std::mem::forget(Timeout::new(1_000_000, || ()));
`,
  ],
  [
    4,
    'a timer beyond what the platform counts',
    'call.rs',
    'ms.clamp(0.0, LONGEST_TIMER_MS).ceil()',
    'ms.max(0.0).ceil()',
  ],
  [6, 'a cut sleep counted as a whole one', 'call.rs', 'if self.is_piece {', 'if false {'],
  [4, 'a clock that stands still', 'call.rs', '            now_at_least(self.fires_at);\n', ''],
  [
    4,
    'no wall clock',
    'call.rs',
    'clock.read(js::monotonic_now(), Date::now())',
    'clock.read(js::monotonic_now(), js::monotonic_now())',
  ],
  [
    4,
    'no monotonic clock',
    'call.rs',
    'clock.read(js::monotonic_now(), Date::now())',
    'clock.read(0.0 * js::monotonic_now(), Date::now())',
  ],
  [
    4,
    'an attempt not ended where it is late',
    'jobs.rs',
    `self.call.host.finish(
            is_late,`,
    `self.call.host.finish(
            false,`,
  ],
  [4, 'getTask answered by the poll of another call', 'jobs.rs', '.filter(|_| !self.is_once())', ''],
  [
    4,
    'a deadline set anew when another call gives up',
    'jobs.rs',
    '(Stage::Shared(_), _) => self.send(),',
    `(Stage::Shared(_), _) => {
                self.request.until = now() + self.call.options.poll_timeout;
                self.send()
            }`,
  ],
  [
    4,
    'the poll of another call not counted',
    'jobs.rs',
    '                    wait.join();\n',
    '                    let _ = wait;\n',
  ],
  [4, 'memory that is not used again', 'alloc.rs', '            *head = block;\n', ''],
  [4, 'getTask bound by the limits of a wait', 'jobs.rs', '                    wait.once(now());\n', ''],
  [
    5,
    'a model that is known to answer inline not waited for',
    'jobs.rs',
    'if self.command == GENERATE { self.done',
    'if self.command == GENERATE || self.call.host.get(Name::Body).text_of(Name::Value).contains("dall-e") { self.done',
  ],
  [
    5,
    'a generation with images taken for completed',
    'jobs.rs',
    'reference.text_of(Name::Status) == Status::Completed.name()',
    'reference.get(Name::Data).length() > 0 || reference.text_of(Name::Status) == Status::Completed.name()',
  ],
  [
    5,
    'a completed generation asked for again',
    'mod.rs',
    'what == jobs::WAIT_FOR_TASK && jobs::is_completed(&input)',
    'what == 9 && jobs::is_completed(&input)',
  ],
  [
    5,
    'an answer with an id taken for a task',
    'jobs.rs',
    'Some(task) if meaning.status != Status::Completed =>',
    'Some(task) =>',
  ],
  [
    5,
    'the last update missing',
    'jobs.rs',
    'self.call.host.update(&generation, if is_over { -1.0 } else { next_poll_ms });',
    'if !is_over { self.call.host.update(&generation, next_poll_ms); }',
  ],
  [
    5,
    'no update of a task that failed',
    'jobs.rs',
    'if failure.outcome == Outcome::Failed && !is_once {',
    'if false {',
  ],
  [6, 'the next poll at a time of the module', 'jobs.rs', '|due| due - now()', '|due| due'],
  [
    6,
    'no pause before a repeat',
    'jobs.rs',
    'self.sleep_until(Stage::Pause, PAUSE, now() + ms)',
    'self.sleep_until(Stage::Pause, PAUSE, now() + 0.0 * ms)',
  ],
  [
    6,
    'a date read by the wrong clock',
    'http.rs',
    'now_ms: value.number_of(Name::Now),',
    'now_ms: super::call::now(),',
  ],
  [
    6,
    'the seconds of Retry-After not read',
    'http.rs',
    'seconds: value.number_of(Name::Seconds),',
    'seconds: f64::NAN,',
  ],
  [
    6,
    'a stream asked for without a relay',
    'jobs.rs',
    `            options.relay
        } else {`,
    `            true
        } else {`,
  ],
  [
    7,
    'a payload measured in linear memory',
    'value.rs',
    `        js::kind_of(self, name as u32) == FILLED
`,
    `        !self.text_of(name).is_empty()
`,
  ],
  [
    7,
    'an answer that goes through linear memory',
    'http.rs',
    '        js::normalise(&self.value,',
    `        std::hint::black_box(js_sys::JSON::stringify(&self.value.get(Name::Body)).map(String::from));
        js::normalise(&self.value,`,
  ],
];
