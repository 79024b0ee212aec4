//! Drives the call machine: performs its actions, and hands in what has happened.
//!
//! Nothing enters the module from inside: every entry is a microtask or a timer of its own (`js/client/call.js`). There
//! is no executor. A queue for all calls, as `spawn_local` has it, would run the calls of one edge request in the
//! context of another, and stand still for ever where a request is cancelled with the queue just scheduled.

use std::{cell::RefCell, mem::take, rc::Rc};

use gloo_timers::callback::Timeout;
use js_sys::Math;
use wasm_bindgen::{JsValue, prelude::Closure};
use web_sys::AbortController;

use super::{
    clock::{now, now_at_least},
    error::{call_error, task_to_js},
    js::Host,
    trap,
};
use crate::core::{
    Action, Call, Command, End, Environment, Event, Name, Source, Update, Value, abi::EventKind,
};

/// The longest time that a timer of the platform can count, in milliseconds.
const LONGEST_TIMER_MS: f64 = 2_147_483_647.0;

/// A call under way.
struct Driver {
    host: Host,
    /// None once the call has ended.
    running: RefCell<Option<Running>>,
}

struct Running {
    call: Box<Call<JsValue>>,
    /// The request under way.
    fetch: Option<AbortController>,
    timer: Option<Timeout>,
    /// The end of what the timer counts, and when it fires: no timer counts very long times.
    until: f64,
    fires_at: f64,
    /// Whether its end has come.
    is_elapsed: bool,
    _wake: Closure<dyn FnMut()>,
}

impl Drop for Running {
    /// Ends a request whose answer nothing waits for.
    fn drop(&mut self) {
        if let Some(fetch) = &self.fetch {
            fetch.abort();
        }
    }
}

/// Starts a call. Its end reaches `host` exactly once, unless the module traps: then JavaScript rejects what is pending.
pub fn run(command: Command, host: Host, browser: bool) {
    trap::at("start");
    let started = Call::start(command, host.as_ref(), Environment { browser }, now(), Math::random());
    let (call, action) = match started {
        Ok(started) => started,
        Err(end) => return settle(&host, &end),
    };
    let driver = Rc::new(Driver { host, running: RefCell::new(None) });
    let woken = Rc::clone(&driver);
    let wake = Closure::<dyn FnMut()>::new(move || {
        trap::at("wake");
        woken.advance(Action::Wait);
    });
    if driver.host.listen(browser, wake.as_ref()) {
        let running = Running {
            call,
            fetch: None,
            timer: None,
            until: 0.0,
            fires_at: 0.0,
            is_elapsed: false,
            _wake: wake,
        };
        *driver.running.borrow_mut() = Some(running);
        driver.advance(action);
    }
}

impl Driver {
    /// Performs an action, and then whatever follows from what has happened.
    fn advance(self: &Rc<Self>, mut action: Action) {
        let mut slot = self.running.borrow_mut();
        let Some(running) = slot.as_mut() else { return };
        while action != Action::Finish {
            let Some(event) = self.perform(running, action).or_else(|| self.next_event(running)) else {
                return;
            };
            action = running.call.handle(event, now(), Math::random());
            if let Some(Update { generation, next_poll }) = running.call.take_update() {
                self.host.update(&generation, next_poll.map_or(-1.0, |due| due - now()));
            }
        }
        settle(&self.host, running.call.end());
        *slot = None;
    }

    /// Performs an action. Returns the event that answers it at once, if one does.
    fn perform(self: &Rc<Self>, running: &mut Running, action: Action) -> Option<Event<JsValue>> {
        let call = &running.call;
        match action {
            Action::Wait | Action::Finish => return None,
            Action::Announce => self.host.announce(&task_to_js(call.task()?)),
            _ if self.host.is_aborted() => return Some(Event::Aborted),
            Action::Authorize => self.host.authorize(),
            Action::GiveUp => {
                if let Some(fetch) = running.fetch.take() {
                    fetch.abort();
                }
                return Some(Event::Attempt(self.host.give_up()));
            }
            Action::Send => {
                let request = call.request();
                if request.is_shared {
                    let source = self.host.join(&request.url, call.is_silent(now()));
                    if source != Source::Own as u8 {
                        let is_stream = source == Source::Stream as u8;
                        return Some(Event::Following(if is_stream { Source::Stream } else { Source::Poll }));
                    }
                }
                running.fetch = Some(self.host.send(
                    &request.url,
                    request.path,
                    request.is_create,
                    request.number,
                    request.uses_relay,
                ));
            }
            Action::Sleep => {}
        }
        self.limit(running);
        None
    }

    /// The next thing that has happened, if any.
    fn next_event(&self, running: &mut Running) -> Option<Event<JsValue>> {
        let kind = EventKind::ALL.get(usize::from(self.host.take()))?;
        let value = self.host.get(Name::Value);
        Some(match kind {
            EventKind::None => return take(&mut running.is_elapsed).then_some(Event::Elapsed),
            EventKind::Credentials => Event::Credentials(value),
            EventKind::Attempt => {
                trap::at(if running.fetch.is_some() { "answer" } else { "shared" });
                running.fetch = None;
                Event::Attempt(value)
            }
            EventKind::Announced => Event::Announced(value),
            EventKind::LeaderLeft => Event::LeaderLeft,
            EventKind::Woken => Event::Woken,
            EventKind::Aborted => Event::Aborted,
        })
    }

    /// Sets the timer for the end of an action, unless it is set for that already.
    #[allow(clippy::float_cmp)] // the timer is set for exactly that time
    fn limit(self: &Rc<Self>, running: &mut Running) {
        let until = running.call.until();
        if running.timer.is_none() || until != running.until {
            running.until = until;
            self.set_timer(running);
        }
    }

    fn set_timer(self: &Rc<Self>, running: &mut Running) {
        let now = now();
        let ms = running.until - now;
        running.timer = None;
        running.is_elapsed = false;
        if ms < f64::INFINITY {
            let ms = ms.clamp(0.0, LONGEST_TIMER_MS).ceil();
            running.fires_at = now + ms;
            let driver = Rc::clone(self);
            running.timer = Some(Timeout::new(ms as u32, move || {
                trap::at("timer");
                driver.elapse();
            }));
        }
    }

    /// The timer has fired, which is proof of the time, whatever a coarse or frozen clock shows.
    fn elapse(self: &Rc<Self>) {
        let mut slot = self.running.borrow_mut();
        let Some(running) = slot.as_mut() else { return };
        running.timer = None;
        let now = now_at_least(running.fires_at);
        if now < running.until {
            return self.set_timer(running);
        }
        running.is_elapsed = true;
        drop(slot);
        self.advance(Action::Wait);
    }
}

/// Settles the promise of a call.
fn settle(host: &Host, end: &End<JsValue>) {
    match end {
        End::Done(value) => host.settle(true, value),
        End::Failed(failed) => host.settle(false, &call_error(failed)),
        End::Aborted => host.settle(false, &JsValue::UNDEFINED),
    }
}
