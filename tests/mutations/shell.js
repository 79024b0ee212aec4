/**
 * What is broken on purpose in the shell: the rule of the design that it breaks, what it does, the file in
 * `src/shell`, and the text that is replaced. Each has to turn a test of the built package red.
 *
 * @type {[rule: number, name: string, file: string, from: string, to: string][]}
 */
export const SHELL = [
  [
    1,
    'a new idempotency key for every attempt',
    'jobs.rs',
    `            &self.request.idempotency_key,
`,
    `            &if self.call.options.makes_key { js::random_uuid() } else { self.request.idempotency_key.clone() },
`,
  ],
  [1, 'every loss called unsent', 'http.rs', 'about.flag_of(Name::IsSent) == Some(true)', 'false'],
  [1, 'every loss called sent', 'http.rs', 'about.flag_of(Name::IsSent) == Some(true)', 'true'],
  [
    1,
    'a body that comes too late read as an answer',
    'http.rs',
    'if is_late || status.is_nan()',
    'if status.is_nan()',
  ],
  [
    2,
    'the task noted for a trap only after onTask',
    'jobs.rs',
    `        self.call.host.set_task(&reference);
        if self.call.given.kind_of(Name::OnTask) == Type::Nothing {
            return self.announced(task, generation);
        }
        self.call.wait_for(js::ask(&self.call.host, Name::OnTask as u8, &reference));
`,
    `        if self.call.given.kind_of(Name::OnTask) == Type::Nothing {
            return self.announced(task, generation);
        }
        self.call.wait_for(js::ask(&self.call.host, Name::OnTask as u8, &reference));
`,
  ],
  [
    2,
    'onTask not awaited',
    'jobs.rs',
    `        self.call.wait_for(js::ask(&self.call.host, Name::OnTask as u8, &reference));
        self.stage = Stage::Announcement(task, generation);
        Ok(None)
`,
    `        let _ = js::ask(&self.call.host, Name::OnTask as u8, &reference);
        self.announced(task, generation)
`,
  ],
  [
    2,
    'the failure of onTask swallowed',
    'jobs.rs',
    `if about.flag_of(Name::IsSent).is_some() {
                    let message = ["onTask`,
    `if false {
                    let message = ["onTask`,
  ],
  [
    2,
    'the failure of onTask forgets the task',
    'jobs.rs',
    `                    failure.task = Some(task);
                    return`,
    `                    failure.task = None;
                    return`,
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
    'self.cause = self.fail_of(failure, &attempt.about)',
    'self.cause = JsValue::UNDEFINED',
  ],
  [2, 'a wake-up not told to the core', 'jobs.rs', 'wait.wake(now());', ''],
  [
    2,
    'an aborted announcement taken for done',
    'call.rs',
    `        self.check()?;
        if !self.runner`,
    `        if self.future.is_none() || self.timer.is_some() {
            self.check()?;
        }
        if !self.runner`,
  ],
  [
    3,
    'a request without the key that is missing',
    'jobs.rs',
    `                check_key(&key.text(), Name::ApiKey).map_err(|failure| self.fail(failure))?;
`,
    `                if !key.is_nothing() {
                    check_key(&key.text(), Name::ApiKey).map_err(|failure| self.fail(failure))?;
                }
`,
  ],
  [
    3,
    'a key from a function unchecked',
    'jobs.rs',
    `                check_key(&key.text(), Name::ApiKey).map_err(|failure| self.fail(failure))?;
`,
    '',
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
    'about.flag_of(Name::IsRefused).is_some()',
    'false',
  ],
  [
    3,
    'the key kept in the page',
    'call.rs',
    'Environment { browser }',
    'Environment { browser: browser && false }',
  ],
  [4, 'an abort not seen', 'call.rs', 'if signal.flag_of(Name::Aborted) == Some(true)', 'if false'],
  [4, 'an abort without its reason', 'call.rs', 'Err(signal.get(Name::Reason))', 'Err(JsValue::UNDEFINED)'],
  [
    4,
    'no listener for an abort',
    'call.rs',
    `        host.listen(listener.as_ref().unchecked_ref());
`,
    '',
  ],
  [
    4,
    'a time-out not seen',
    'call.rs',
    'if !self.runner.fired.replace(false)',
    'if !self.runner.fired.replace(false) || true',
  ],
  [
    4,
    'no time-out over the key',
    'jobs.rs',
    `        self.call.limit(self.request.timeout);
        let key`,
    `        self.call.limit(f64::INFINITY);
        let key`,
  ],
  [
    4,
    'no time-out over the exchange',
    'jobs.rs',
    `    fn exchange(&mut self, key: &JsValue) -> Turn {
`,
    `    fn exchange(&mut self, key: &JsValue) -> Turn {
        self.call.unlimit();
`,
  ],
  [
    4,
    'a fetch that goes on for nobody',
    'http.rs',
    `            controller.abort();
`,
    '',
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
  [4, 'a timer beyond what the platform counts', 'call.rs', 'ms.min(LONGEST_TIMER_MS).ceil()', 'ms.ceil()'],
  [6, 'a cut sleep counted as a whole one', 'call.rs', 'ms < LONGEST_TIMER_MS && now() < end', 'now() < end'],
  [
    4,
    'a clock that stands still',
    'call.rs',
    `                now_at_least(end);
`,
    '',
  ],
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
    'late attempts of another call taken for none',
    'jobs.rs',
    'self.call.host.news(is_late && !is_gap)',
    'self.call.host.news(false)',
  ],
  [
    4,
    'an attempt not ended where it is late',
    'jobs.rs',
    `                let attempt = Attempt::of(self.call.host.finish(
                    is_late,`,
    `                let attempt = Attempt::of(self.call.host.finish(
                    false,`,
  ],
  [
    4,
    'a shared poll for who asks once',
    'jobs.rs',
    'if self.is_once() || !self.call.host.join',
    'if !self.call.host.join',
  ],
  [4, 'memory that is not used again', 'alloc.rs', '            *head = block;\n', ''],
  [4, 'getTask bound by the limits of a wait', 'jobs.rs', '        wait.once();\n', ''],
  [
    5,
    'a model that is known to answer inline not waited for',
    'jobs.rs',
    'if self.what == GENERATE { Ok',
    'if self.what == GENERATE || self.request.body.text().contains("dall-e") { Ok',
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
    'the last update not told',
    'jobs.rs',
    `if !self.is_once() {
                    self.call.host.tell`,
    `if !self.is_once() && meaning.status != Status::Completed {
                    self.call.host.tell`,
  ],
  [
    6,
    'the pause before a repeat cut short by a wake-up',
    'jobs.rs',
    `                if left > 0.0 {
`,
    `                if left > 0.0 && is_late {
`,
  ],
  [
    6,
    'no pause before a repeat',
    'jobs.rs',
    `CreateStep::Retry(ms) => {
                self.call.sleep(ms);`,
    `CreateStep::Retry(_) => {
                self.call.sleep(0.0);`,
  ],
  [
    6,
    'a date read by the wrong clock',
    'http.rs',
    'now_ms: js_sys::Date::now(),',
    'now_ms: super::call::now(),',
  ],
  [
    6,
    'the seconds of Retry-After not read',
    'http.rs',
    'seconds: about.number_of(Name::Seconds),',
    'seconds: f64::NAN,',
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
    'a request that goes through linear memory',
    'jobs.rs',
    'self.request.body = body.get(Name::Value);',
    'self.request.body = JsValue::from_str(&body.text_of(Name::Value));',
  ],
  [
    7,
    'an answer that goes through linear memory',
    'http.rs',
    'js::normalise(&self.about.get(Name::Body),',
    `let body = js_sys::JSON::stringify(&self.about.get(Name::Body)).map(String::from).unwrap_or_default();
        js::normalise(&js_sys::JSON::parse(&body).unwrap_or_default(),`,
  ],
];
