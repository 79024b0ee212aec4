//! The call machine: carries one call of a client from its request to its result.
//!
//! # How to drive it
//!
//! [`Call::start`] brings a call and its first [`Action`], or the [`End`] of a call that has nothing to do. Perform the
//! action, hand the next [`Event`] to [`Call::handle`], perform what that returns, and so on until [`Action::Finish`].
//!
//! - First pass [`Call::take_update`] to `onUpdate`, if there is one. Then perform the action. Most actions are answered
//!   by one event, see [`Action`]; [`Action::Wait`] changes nothing.
//! - When the time of [`Call::until`] has come, hand in [`Event::Elapsed`].
//! - An event that belongs to an action that the call has given up must not come any more.
//! - After an abort, hand in [`Event::Aborted`] in place of performing an action. [`Action::Announce`] is performed all
//!   the same: `onTask` is the caller's way to keep the task. An attempt that has ended counts before an abort, since it
//!   may have brought a task.
//!
//! All times are milliseconds of one clock; `random` lies in 0..1.

use super::{
    abi::{Command, Kind, Name, Outcome, Shape, Source, Status},
    answer::Attempt,
    create::{Create, CreateAction},
    failure::{Failure, GOES_ON},
    ms::Ms,
    options::{Environment, Options, check_key},
    platform::Platform,
    request::{check_edit, check_request, read_task},
    task::Task,
    text::without_query,
    url::{CREATE_PATH, EDIT_PATH},
    wait::{Origin, PollResult, Wait, WaitAction},
};

/// A deadline that is noticed so late has passed while the runtime was suspended, or busy.
const OVERSLEPT: Ms = Ms(1_000.0);
/// After that, an answer that has arrived meanwhile has this time to be read.
const READING: Ms = Ms(5_000.0);

/// What a driver has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing: go on waiting for the event of the action before.
    Wait,
    /// Get the key and the headers of the next request: [`Event::Credentials`].
    Authorize,
    /// Send [`Call::request`]: [`Event::Attempt`]. Where another call polls the same: [`Event::Following`].
    Send,
    /// End the request under way, which is late: [`Event::Attempt`].
    GiveUp,
    /// Pass [`Call::task`] to `onTask`, and await that: [`Event::Announced`].
    Announce,
    /// Do nothing until the time has come: [`Event::Elapsed`]. An attempt of another call may come before, and so may the
    /// answer to a request under way, which has got more time.
    Sleep,
    /// Settle the promise of the call with [`Call::end`]. There is nothing more to do.
    Finish,
}

/// A request to send.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // independent of each other
pub struct Request<'a> {
    /// Where it goes.
    pub url: String,
    /// Its path, as logs may show it.
    pub path: &'a str,
    /// Whether it is a create, whose body goes along.
    pub is_create: bool,
    /// Counts the attempts of a create, or the polls of a wait, from 1.
    pub number: u32,
    /// What a relay can do: for a create, an idempotency key is made for it; a poll may be answered by a stream.
    pub uses_relay: bool,
    /// Whether another call's poll or stream will do as well.
    pub is_shared: bool,
}

/// What has happened.
#[derive(Debug)]
pub enum Event<V> {
    /// The credentials are ready, or could not be had.
    Credentials(V),
    /// An attempt has ended, which [`Attempt::of`] reads: that of this call, or one of another call for the same task.
    Attempt(V),
    /// Another call sends this poll, or reads a stream that answers it.
    Following(Source),
    /// The call that this one follows has given up.
    LeaderLeft,
    /// `onTask` has settled. Where it has failed, the value is not nothing, and the error keeps it.
    Announced(V),
    /// The time has come.
    Elapsed,
    /// The runtime has come back: a page is visible again, or the network has returned.
    Woken,
    /// The caller's signal has aborted.
    Aborted,
}

/// How a call ends.
#[derive(Debug)]
pub enum End<V> {
    /// With this result.
    Done(V),
    /// With the error of this failure.
    Failed(CallFailure<V>),
    /// With the reason of the caller's signal.
    Aborted,
}

/// A failure, with what the error keeps of the attempt that led to it.
#[derive(Debug)]
pub struct CallFailure<V> {
    /// The failure.
    pub failure: Box<Failure>,
    /// What the shell knows of the attempt; nothing where none led to it.
    pub attempt: V,
    /// Why the polls before it brought no answer.
    pub cause: Option<Box<CallFailure<V>>>,
}

/// What `onUpdate` hears of a poll.
#[derive(Debug)]
pub struct Update<V> {
    /// The generation as it stands.
    pub generation: V,
    /// When the next poll is due; none where there is none to come.
    pub next_poll: Option<f64>,
}

/// What a call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The time to repeat a create.
    BackingOff,
    Authorizing,
    Sending,
    /// A poll of another call, or its stream.
    Following(Source),
    /// `onTask`.
    Announcing,
    /// The time of the next poll.
    Sleeping,
}

/// A call under way.
#[derive(Debug)]
pub struct Call<V> {
    command: Command,
    options: Options,
    state: State,
    create: Create,
    /// The task of the create, and its generation as it stands.
    created: Option<(Task, V)>,
    /// When the create was answered, and how long its server wants to be left alone.
    answered_at: f64,
    pause: Ms,
    /// What judges the polls, once the wait has begun.
    wait: Option<Wait>,
    /// Counts the attempts of the create, or the polls.
    number: u32,
    until: f64,
    update: Option<Update<V>>,
    /// Why the last lost poll brought no answer.
    cause: Option<Box<CallFailure<V>>>,
    end: End<V>,
}

impl<V: Platform> From<Box<Failure>> for End<V> {
    fn from(failure: Box<Failure>) -> End<V> {
        End::Failed(CallFailure { failure, attempt: V::nothing(), cause: None })
    }
}

impl<V: Platform> Call<V> {
    /// Starts a call: `call` holds its input, its options and its request as JSON, as `js/client/call.js` makes it.
    pub fn start(
        command: Command,
        call: &V,
        environment: Environment,
        now: f64,
        random: f64,
    ) -> Result<(Box<Call<V>>, Action), End<V>> {
        let input = call.get(Name::Input);
        if command == Command::WaitForTask && input.text_of(Name::Status) == Status::Completed.text() {
            return Err(End::Done(input));
        }
        for &name in &[Name::CallOptions, Name::ClientOptions] {
            if !call.is_of(name, Shape::NOTHING | Shape::OBJECT) {
                return Err(Failure::invalid(Name::Options, "an object", &call.get(name)).into());
            }
        }
        let options = Options::read(&call.get(Name::Options), environment)?;
        let is_edit = matches!(command, Command::Edit | Command::EditAndWait);
        let path = options.base.own_path(if is_edit { EDIT_PATH } else { CREATE_PATH });
        let mut machine = Box::new(Call {
            command,
            state: State::BackingOff,
            create: Create::new(path, options.max_retries, options.relay),
            created: None,
            answered_at: now,
            pause: Ms::ZERO,
            wait: None,
            number: 0,
            until: now,
            update: None,
            cause: None,
            end: End::Aborted,
            options,
        });
        let action = if matches!(command, Command::GetTask | Command::WaitForTask) {
            let task = read_task(&input)?;
            let age = call.number_of(Name::Age);
            let origin = if age >= 0.0 { Origin::Generated(now - age) } else { Origin::Elsewhere };
            machine.wait_for(task, origin, now, random)
        } else {
            let body = call.get(Name::Body);
            if is_edit {
                check_edit(&input, body.is_of(Name::Value, Shape::TEXT))
            } else {
                check_request(&input)
            }?;
            if body.is_of(Name::Value, Shape::FILLED | Shape::OBJECT) {
                machine.send_create(now)
            } else {
                machine.fail(Failure::not_json(), body)
            }
        };
        Ok((machine, action))
    }

    /// The task that has been created.
    pub fn task(&self) -> Option<&Task> {
        self.created.as_ref().map(|(task, _)| task)
    }

    /// When the action at hand has to be over.
    pub fn until(&self) -> f64 {
        match (self.state, &self.wait) {
            // A stream that dies leaves the rest of its poll's time to the poll that replaces it.
            (State::Following(Source::Stream), Some(wait)) => self.until.min(wait.silent_at()),
            _ => self.until,
        }
    }

    /// Takes what there is to tell `onUpdate`.
    pub fn take_update(&mut self) -> Option<Update<V>> {
        self.update.take()
    }

    /// How the call has ended.
    pub fn end(&self) -> &End<V> {
        &self.end
    }

    /// The request to send.
    pub fn request(&self) -> Request<'_> {
        let is_create = self.wait.is_none();
        // `getTask` is to tell how things stand now.
        let is_shared = !is_create && !self.is_single();
        let path = self.wait.as_ref().map_or(self.create.path(), Wait::path);
        Request {
            url: self.options.base.url(path),
            path: without_query(path),
            is_create,
            number: self.number,
            uses_relay: if is_create { self.options.makes_key } else { self.options.relay && is_shared },
            is_shared,
        }
    }

    /// Whether a request of this call's own is under way.
    pub fn is_sending(&self) -> bool {
        self.state == State::Sending
    }

    /// Whether a stream that answers this wait has been silent for so long that it counts as dead.
    pub fn is_silent(&self, now: f64) -> bool {
        self.wait.as_ref().is_some_and(|wait| now >= wait.silent_at())
    }

    /// Takes an event, and says what to do next.
    pub fn handle(&mut self, event: Event<V>, now: f64, random: f64) -> Action {
        match (self.state, event) {
            (_, Event::Aborted) => {
                self.end = End::Aborted;
                Action::Finish
            }
            (State::Authorizing, Event::Credentials(credentials)) => self.authorized(credentials),
            (State::Sending | State::Following(_), Event::Attempt(attempt)) => {
                self.judge(&Attempt::of(attempt), now, random)
            }
            (State::Sending, Event::Following(source)) => {
                self.state = State::Following(source);
                Action::Sleep
            }
            // A stream has been silent for too long, and there is time left for a poll.
            (State::Following(_), Event::Elapsed) if now < self.until => self.authorize(),
            // A timer fires before the runtime reads what has arrived in its sleep: that may be a picture, and paid for.
            (State::Sending, Event::Elapsed) if now > self.until + OVERSLEPT => {
                self.until = now + READING;
                Action::Sleep
            }
            (State::Authorizing | State::Sending | State::Following(_), Event::Elapsed) => self.give_up(),
            // A stream may have died while the runtime was away.
            (State::Following(Source::Stream), Event::Woken) | (State::Following(_), Event::LeaderLeft) => {
                self.authorize()
            }
            (State::BackingOff, Event::Elapsed) => self.send_create(now),
            (State::Announcing, Event::Announced(cause)) => self.announced(cause, now, random),
            (State::Announcing, Event::Elapsed) => {
                let failure = self.task().map(|task| Failure::callback_late(task.clone()));
                failure.map_or(Action::Wait, |failure| self.fail(failure, V::nothing()))
            }
            (State::Sleeping, Event::Elapsed) => self.follow(now),
            (State::Sleeping, Event::Woken) => {
                if let Some(wait) = &mut self.wait {
                    wait.wake(now);
                }
                self.follow(now)
            }
            (State::Sleeping, Event::Attempt(attempt)) => {
                if let Some(wait) = &mut self.wait {
                    wait.join();
                }
                self.judge(&Attempt::of(attempt), now, random)
            }
            _ => Action::Wait,
        }
    }

    fn send_create(&mut self, now: f64) -> Action {
        self.number += 1;
        self.until = now + self.options.create_timeout;
        self.authorize()
    }

    fn authorize(&mut self) -> Action {
        self.state = State::Authorizing;
        Action::Authorize
    }

    fn authorized(&mut self, credentials: V) -> Action {
        if credentials.is_of(Name::KeyFailed, Shape::TRUE) {
            return self.fail(Failure::key_function(), credentials);
        }
        // A function that has no key at hand must not send the request without one.
        if self.options.has_key_function
            && let Err(failure) = check_key(&credentials.text_of(Name::Key), Name::ApiKey)
        {
            return self.fail(failure, V::nothing());
        }
        if credentials.is_of(Name::HeadersFailed, Shape::TRUE) {
            return self.fail(Failure::headers(), V::nothing());
        }
        self.state = State::Sending;
        Action::Send
    }

    fn give_up(&mut self) -> Action {
        self.state = State::Sending;
        Action::GiveUp
    }

    fn judge(&mut self, attempt: &Attempt<V>, now: f64, random: f64) -> Action {
        if self.wait.is_some() {
            self.judge_poll(attempt, now, random)
        } else {
            self.judge_create(attempt, now, random)
        }
    }

    fn judge_create(&mut self, attempt: &Attempt<V>, now: f64, random: f64) -> Action {
        let result = match &attempt.result {
            Ok(answer) => {
                self.answered_at = now;
                self.pause = answer.retry_after;
                self.create.answer(answer, random)
            }
            Err((error, is_sent)) => self.create.lost(*error, *is_sent, random),
        };
        match result {
            CreateAction::Retry(ms) => {
                self.state = State::BackingOff;
                self.until = now + ms;
                Action::Sleep
            }
            CreateAction::Fail(failure) => self.fail(failure, attempt.value.clone()),
            CreateAction::Done(answer) => {
                let generation = answer.generation(&attempt.value);
                match answer.task {
                    Some(task) if answer.status != Status::Completed => {
                        self.until = self.options.announce_until(now);
                        self.state = State::Announcing;
                        self.created = Some((task, generation));
                        Action::Announce
                    }
                    _ => self.finish(generation),
                }
            }
        }
    }

    fn announced(&mut self, cause: V, now: f64, random: f64) -> Action {
        let Some((task, generation)) = self.created.take() else { return Action::Wait };
        if !cause.is_nothing() {
            return self.fail(Failure::callback_failed(task), cause);
        }
        if matches!(self.command, Command::Generate | Command::Edit) {
            return self.finish(generation);
        }
        self.wait_for(task, Origin::Created(self.pause), now, random)
    }

    fn wait_for(&mut self, task: Task, origin: Origin, now: f64, random: f64) -> Action {
        match Wait::new::<V>(task, &self.options, origin, self.answered_at, random) {
            Ok(mut wait) => {
                if self.is_single() {
                    wait.once(now);
                }
                self.wait = Some(wait);
                self.number = 0;
                self.follow(now)
            }
            Err((mut failure, task)) => {
                failure.task = Some(task);
                self.fail(failure, V::nothing())
            }
        }
    }

    /// Does what is next for the task.
    fn follow(&mut self, now: f64) -> Action {
        let Some(wait) = &mut self.wait else { return Action::Wait };
        match wait.next(now) {
            WaitAction::Poll(until) => {
                self.until = until;
                self.number += 1;
                self.authorize()
            }
            WaitAction::Sleep(until) => {
                self.state = State::Sleeping;
                self.until = until;
                Action::Sleep
            }
            WaitAction::Fail(failure) => {
                let is_lost = wait.is_lost();
                let mut failure = self.failure(failure, V::nothing());
                if is_lost {
                    failure.cause = self.cause.take();
                }
                self.end = End::Failed(failure);
                Action::Finish
            }
        }
    }

    fn judge_poll(&mut self, attempt: &Attempt<V>, now: f64, random: f64) -> Action {
        let is_single = self.is_single();
        let Some(wait) = &mut self.wait else { return Action::Wait };
        let result = match &attempt.result {
            Ok(answer) => wait.answer(&self.options.base, answer, now, random),
            Err((error, _)) => wait.lost(*error, now, random),
        };
        let next_poll = wait.due();
        match result {
            PollResult::Answered(answer) => {
                let generation = answer.generation(&attempt.value);
                if is_single {
                    return self.finish(generation);
                }
                let is_over = answer.status == Status::Completed;
                let next_poll = if is_over { None } else { next_poll };
                self.update = Some(Update { generation: generation.clone(), next_poll });
                if is_over {
                    return self.finish(generation);
                }
            }
            PollResult::Again => {}
            PollResult::Lost(failure) => {
                self.cause = Some(Box::new(self.failure(failure, attempt.value.clone())));
            }
            PollResult::Fail(failure) => {
                if failure.outcome == Outcome::Failed && !is_single {
                    let id = &wait.task.id;
                    let generation = V::generation(&attempt.value, Status::Failed, false, id);
                    self.update = Some(Update { generation, next_poll: None });
                }
                return self.fail(failure, attempt.value.clone());
            }
        }
        self.follow(now)
    }

    /// Whether one poll is all that the caller wants.
    fn is_single(&self) -> bool {
        self.command == Command::GetTask
    }

    fn finish(&mut self, generation: V) -> Action {
        self.end = End::Done(generation);
        Action::Finish
    }

    fn fail(&mut self, failure: Box<Failure>, attempt: V) -> Action {
        self.end = End::Failed(self.failure(failure, attempt));
        Action::Finish
    }

    /// A failure that an attempt led to. The task of a wait goes on in spite of it.
    fn failure(&self, mut failure: Box<Failure>, attempt: V) -> CallFailure<V> {
        if failure.kind == Kind::Connection {
            failure.add("Is ");
            failure.say(self.options.base.origin());
            failure.say(" up?");
            failure.say(self.options.browser_advice());
        } else if failure.kind == Kind::Authentication
            && !self.options.has_key
            && !attempt.get(Name::Body).get(Name::Error).has(Name::Hint)
        {
            failure.add("No apiKey was set.");
        }
        if let Some(wait) = &self.wait {
            failure.leave_task();
            failure.task = Some(wait.task.clone());
        } else if let Some(task) = failure.lost_task(Task::of(&attempt)) {
            failure.add(GOES_ON);
            failure.leave_task();
            failure.task = Some(task);
        } else if self.create.may_be_billed()
            && matches!(failure.outcome, Outcome::NotSent | Outcome::Rejected)
        {
            failure.outcome = Outcome::Unknown;
            failure.add("An attempt before this one may have been carried out and billed.");
        }
        CallFailure { failure, attempt, cause: None }
    }
}
