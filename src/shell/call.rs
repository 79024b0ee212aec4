//! One call: its options, its timer, and the one promise that it waits for.

use std::{
    cell::RefCell,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use gloo_timers::callback::Timeout;
use js_sys::{Date, Math, Promise};
use wasm_bindgen::{JsValue, prelude::Closure};
use wasm_bindgen_futures::JsFuture;

use super::{
    js::{self, Host},
    task::{self, Runner},
    trap,
};
use crate::core::{Clock, Environment, Failure, Name, Options, Task, Type, Value};

/// The longest time that a timer of the platform can count, in milliseconds.
const LONGEST_TIMER_MS: f64 = 2_147_483_647.0;

thread_local! {
    static CLOCK: RefCell<Clock> = const { RefCell::new(Clock::new()) };
}

/// The time in milliseconds, by both clocks of the runtime.
pub fn now() -> f64 {
    now_at_least(0.0)
}

/// The time, which is at least `ms`.
fn now_at_least(ms: f64) -> f64 {
    CLOCK.with_borrow_mut(|clock| {
        clock.at_least(ms);
        clock.read(js::monotonic_now(), Date::now())
    })
}

/// A number in 0..1.
pub fn random() -> f64 {
    Math::random()
}

/// What a failed call rejects with. `attempt` led to it.
pub fn error(failure: &Failure, attempt: &JsValue) -> JsValue {
    let task = failure.task.as_ref().map(task_to_js).unwrap_or_default();
    js::make_error(
        failure.kind as u8,
        failure.outcome as u8,
        &failure.message,
        failure.status,
        failure.param.map_or(u8::MAX, |name| name as u8),
        failure.retry_after_ms,
        attempt,
        &task,
    )
}

/// A task reference as plain JSON.
pub fn task_to_js(task: &Task) -> JsValue {
    // One by one: the names of a struct's fields would bring a cache of three kilobytes.
    js::task(&text_to_js(&task.id), &text_to_js(&task.poll_url))
}

/// A text as a value of JavaScript.
pub fn text_to_js(text: &String) -> JsValue {
    serde_wasm_bindgen::to_value(text).unwrap_or_default()
}

/// What ends a wait inside a call.
pub enum Event {
    /// The promise has brought this, or another call has.
    Settled(JsValue),
    /// The host has woken a sleep.
    Woken,
    /// The time is up.
    Timeout,
}

/// A call under way.
pub struct Call {
    pub options: Options,
    /// The options as JavaScript values.
    pub given: JsValue,
    pub host: Host,
    runner: Rc<Runner>,
    /// Work of the call's own; none while it sleeps.
    future: Option<JsFuture>,
    timer: Option<Timeout>,
    /// When the timer fires, and whether that covers a part of its time only.
    fires_at: f64,
    is_piece: bool,
    /// When the wait ends at the latest.
    until: f64,
    _wake: Closure<dyn FnMut()>,
}

impl Call {
    /// None where the host could not listen, and has settled the call.
    pub fn new(options: Options, host: Host, browser: bool, runner: &Rc<Runner>) -> Option<Call> {
        let woken = Rc::clone(runner);
        let wake = Closure::<dyn FnMut()>::new(move || {
            trap::at("wake");
            woken.woken.set(true);
            task::run(&woken);
        });
        if !host.listen(browser, wake.as_ref()) {
            return None;
        }
        Some(Call {
            options,
            given: host.get(Name::Given),
            host,
            runner: Rc::clone(runner),
            future: None,
            timer: None,
            fires_at: 0.0,
            is_piece: false,
            until: 0.0,
            _wake: wake,
        })
    }

    /// Settles the promise of the call, and with it the call.
    pub fn settle(&self, is_done: bool, value: &JsValue) -> bool {
        self.host.settle(is_done, value);
        true
    }

    /// Whether the caller's signal has aborted, which ends the call.
    pub fn ends_by_abort(&self) -> bool {
        self.is_aborted() && self.settle(false, &JsValue::UNDEFINED)
    }

    fn is_aborted(&self) -> bool {
        self.given.get(Name::Signal).flag_of(Name::Aborted) == Some(true)
    }

    /// What has happened, if it has: what the call waited for, or else the end of its time. After an abort nothing else
    /// counts.
    pub fn event(&mut self) -> Option<Event> {
        let is_woken = self.runner.woken.replace(false);
        // What has arrived counts, even where the caller aborts in the same moment: it may be a task.
        if let Some(future) = &mut self.future {
            // The host wakes the call when the promise has settled, so that no waker is needed.
            let mut context = Context::from_waker(Waker::noop());
            if let Poll::Ready(value) = Pin::new(future).poll(&mut context) {
                self.future = None;
                return value.ok().map(Event::Settled);
            }
        } else if is_woken {
            let value = self.host.take();
            if !value.is_nothing() {
                trap::at("shared");
                return Some(Event::Settled(value));
            }
        }
        if self.is_aborted() {
            return None;
        }
        if self.runner.fired.replace(false) {
            if self.is_piece {
                self.set_timer();
                return None;
            }
            // The timer is proof of the time, whatever a coarse or frozen clock shows.
            now_at_least(self.fires_at);
            self.timer = None;
            self.future = None;
            return Some(Event::Timeout);
        }
        if is_woken && self.future.is_none() { Some(Event::Woken) } else { None }
    }

    /// Waits for a promise of the host's, until some time at most.
    pub fn wait_for(&mut self, promise: Promise, until: f64) {
        self.future = Some(promise.into());
        self.limit(until);
    }

    /// Sleeps until some time, unless something of a `kind` ends it before.
    pub fn sleep(&mut self, kind: u8, until: f64) {
        self.runner.woken.set(false);
        self.host.sleep(kind);
        self.limit(until);
    }

    #[allow(clippy::float_cmp)] // the timer is set for exactly that time
    fn limit(&mut self, until: f64) {
        if self.timer.is_none() || until != self.until {
            self.until = until;
            self.set_timer();
        }
    }

    fn set_timer(&mut self) {
        let now = now();
        let ms = self.until - now;
        self.timer = None;
        self.runner.fired.set(false);
        self.is_piece = ms > LONGEST_TIMER_MS;
        if ms < f64::INFINITY {
            let runner = Rc::clone(&self.runner);
            let ms = ms.clamp(0.0, LONGEST_TIMER_MS).ceil();
            self.fires_at = now + ms;
            self.timer = Some(Timeout::new(ms as u32, move || {
                trap::at("timer");
                runner.fired.set(true);
                task::run(&runner);
            }));
        }
    }
}

/// Reads the options of a call.
pub fn read_options(host: &Host, browser: bool) -> Result<Options, Box<Failure>> {
    for &name in &[Name::Options, Name::Defaults] {
        let kind = host.kind_of(name);
        if !matches!(kind, Type::Nothing | Type::Object) {
            return Err(Failure::invalid(Name::Options, "an object", kind));
        }
    }
    Options::read(&host.get(Name::Given), Environment { browser })
}
