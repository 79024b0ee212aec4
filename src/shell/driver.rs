//! Drives the call machine: performs its actions, and hands in what has happened.
//!
//! Nothing enters the module from inside: every entry is a microtask of its own (`js/client/call.js`). There is no
//! executor. A queue for all calls, as `spawn_local` has it, would run the calls of one edge request in the context of
//! another, and stand still for ever where a request is cancelled with the queue just scheduled.
#![allow(unsafe_code)]

use std::ptr::null_mut;

use gloo_timers::callback::Timeout;
use wasm_bindgen::{JsCast, JsValue};

use super::{clock, error::call_error, js::Host, trap, value::Js};
use crate::core::{Action, Call, Command, End, Environment, Event, Source, Task, Update, abi::EventKind};

/// The longest time that a timer of the platform can count, in milliseconds.
const LONGEST_TIMER_MS: f64 = 2_147_483_647.0;

/// A call under way.
pub struct Driver {
    host: Js,
    call: Box<Call<Js>>,
    timer: Option<Timeout>,
    /// What the timer is for. It may fire sooner, since no timer counts very long times.
    until: f64,
}

/// The time of an entry, and chance.
#[derive(Clone, Copy)]
pub struct Moment {
    /// Milliseconds.
    pub now: f64,
    /// In 0..1.
    pub random: f64,
}

/// Starts a call, and returns what [`wake`] takes; null where the call is over. The end of the call reaches `host`
/// exactly once, unless the module traps: then JavaScript rejects what is pending.
pub fn run(command: Command, host: Host, browser: bool, moment: Moment) -> *mut Driver {
    trap::at("start");
    let environment = Environment { browser };
    let value = Js::from(JsValue::from(host));
    let host = value.unchecked_ref::<Host>();
    let (call, action) = match Call::start(command, &value, environment, moment.now, moment.random) {
        Ok(started) => started,
        Err(end) => {
            settle(host, &end);
            return null_mut();
        }
    };
    if !host.listen() {
        return null_mut();
    }
    Box::new(Driver { host: value, call, timer: None, until: 0.0 }).advance(action, moment)
}

/// Hands an event to the call that [`run`] has returned. Where that ends the call, it must not come again.
pub fn wake(driver: *mut Driver, kind: u8, value: JsValue, moment: Moment) {
    // SAFETY: JavaScript passes what `run` has returned, until the call is settled, and never from inside.
    let mut driver = unsafe { Box::from_raw(driver) };
    let action = driver.receive(kind, value, moment);
    driver.advance(action, moment);
}

impl Driver {
    fn host(&self) -> &Host {
        self.host.unchecked_ref()
    }

    /// Performs an action, and keeps the driver for the next event.
    fn advance(mut self: Box<Self>, mut action: Action, moment: Moment) -> *mut Driver {
        while let Some(event) = self.perform(action, moment.now) {
            action = self.handle(event, moment);
        }
        if action == Action::Finish { null_mut() } else { Box::into_raw(self) }
    }

    fn handle(&mut self, event: Event<Js>, moment: Moment) -> Action {
        let action = self.call.handle(event, moment.now, moment.random);
        if let Some(Update { generation, next_poll }) = self.call.take_update() {
            self.host().update(&generation, next_poll.map_or(-1.0, |due| due - moment.now));
        }
        action
    }

    /// Takes an event from JavaScript, and says what to do next.
    fn receive(&mut self, kind: u8, value: JsValue, moment: Moment) -> Action {
        trap::at("wake");
        let event = match EventKind::ALL.get(usize::from(kind)) {
            Some(EventKind::Credentials) => Event::Credentials(value.into()),
            Some(EventKind::Attempt) => {
                trap::at(if self.call.is_sending() { "answer" } else { "shared" });
                Event::Attempt(value.into())
            }
            Some(EventKind::Announced) => Event::Announced(value.into()),
            Some(EventKind::LeaderLeft) => Event::LeaderLeft,
            Some(EventKind::Woken) => Event::Woken,
            Some(EventKind::Aborted) => Event::Aborted,
            Some(EventKind::Elapsed) => {
                self.timer = None;
                // A timer counts less than the whole time where that is very long.
                if moment.now < self.call.until() {
                    return Action::Sleep;
                }
                Event::Elapsed
            }
            _ => return Action::Wait,
        };
        self.handle(event, moment)
    }

    /// Performs an action. Returns the event that answers it at once, if one does.
    #[allow(clippy::float_cmp)] // the timer is set for exactly that time
    fn perform(&mut self, action: Action, now: f64) -> Option<Event<Js>> {
        match action {
            Action::Wait => return None,
            Action::Finish => {
                settle(self.host(), self.call.end());
                return None;
            }
            Action::Announce => {
                let Task { id, poll_url } = self.call.task()?;
                self.host().announce(id, poll_url);
            }
            Action::Authorize => self.host().authorize(),
            Action::GiveUp => self.host().give_up(),
            Action::Send => {
                let request = self.call.request();
                let source = self.host().send(
                    &request.url,
                    request.is_create,
                    request.number,
                    request.uses_relay,
                    request.is_shared,
                    self.call.is_silent(now),
                );
                for follows in [Source::Poll, Source::Stream] {
                    if source == follows as u8 {
                        return Some(Event::Following(follows));
                    }
                }
            }
            Action::Sleep => {}
        }
        let until = self.call.until();
        if self.timer.is_none() || until != self.until {
            self.until = until;
            self.set_timer(now);
        }
        None
    }

    fn set_timer(&mut self, now: f64) {
        let ms = self.until - now;
        self.timer = None;
        if ms < f64::INFINITY {
            let ms = ms.clamp(0.0, LONGEST_TIMER_MS).ceil();
            let host = self.host.clone();
            self.timer = Some(Timeout::new(ms as u32, move || {
                trap::at("timer");
                // The timer is proof of the time, whatever a coarse or frozen clock shows.
                clock::at_least(now + ms);
                host.unchecked_ref::<Host>().elapse();
            }));
        }
    }
}

/// Settles the promise of a call.
fn settle(host: &Host, end: &End<Js>) {
    match end {
        End::Done(value) => host.settle(true, value),
        End::Failed(failed) => host.settle(false, &call_error(failed)),
        End::Aborted => host.settle(false, &JsValue::UNDEFINED),
    }
}
