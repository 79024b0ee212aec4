//! One call: its options, its timer, its promise, and the one place where it waits.

use std::{
    cell::RefCell,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use gloo_timers::callback::Timeout;
use js_sys::{Date, Math, Promise};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
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

/// What a failed call rejects with. `about` is what the attempt brought that led to it.
pub fn error(failure: &Failure, about: &JsValue) -> JsValue {
    let task = failure.task.as_ref().map(task_to_js).unwrap_or_default();
    js::make_error(
        failure.kind as u8,
        failure.outcome as u8,
        &failure.message,
        failure.status,
        failure.param.map_or(u8::MAX, |name| name as u8),
        failure.retry_after_ms,
        about,
        &task,
    )
}

/// A task reference as plain JSON.
pub fn task_to_js(task: &Task) -> JsValue {
    // One by one: the names of a struct's fields would bring a cache of three kilobytes.
    let part = |text: &String| serde_wasm_bindgen::to_value(text).unwrap_or_default();
    js::task(&part(&task.id), &part(&task.poll_url))
}

/// What ends a wait inside a call.
pub enum Event {
    /// The promise has settled.
    Settled(JsValue),
    /// The signal, the page or another call has woken a sleep.
    Woken,
    /// The timer has run out.
    Timeout,
}

/// A call under way.
pub struct Call {
    pub options: Options,
    /// The options as they were given.
    pub given: JsValue,
    pub host: Host,
    runner: Rc<Runner>,
    future: Option<JsFuture>,
    timer: Option<Timeout>,
    /// How long a sleep is, and when it ends.
    sleep: (f64, f64),
    _listener: Closure<dyn FnMut()>,
}

impl Call {
    pub fn new(options: Options, host: Host, runner: &Rc<Runner>) -> Call {
        let woken = Rc::clone(runner);
        let listener = Closure::<dyn FnMut()>::new(move || {
            trap::at("listener");
            woken.woken.set(true);
            task::run(&woken);
        });
        host.listen(listener.as_ref().unchecked_ref());
        Call {
            options,
            given: host.get(Name::Given),
            host,
            runner: Rc::clone(runner),
            future: None,
            timer: None,
            sleep: (0.0, 0.0),
            _listener: listener,
        }
    }

    /// Fails with the reason of the caller's signal once that has aborted.
    pub fn check(&self) -> Result<(), JsValue> {
        let signal = self.given.get(Name::Signal);
        if signal.flag_of(Name::Aborted) == Some(true) { Err(signal.get(Name::Reason)) } else { Ok(()) }
    }

    /// What has happened, if it has: what the call waited for, or else an abort, or else the end of its time.
    pub fn event(&mut self, context: &mut Context<'_>) -> Poll<Result<Event, JsValue>> {
        // What has arrived counts, even where the caller aborts in the same moment: it may be a task.
        if let Some(future) = &mut self.future {
            if let Poll::Ready(value) = Pin::new(future).poll(context) {
                self.future = None;
                return Poll::Ready(value.map(Event::Settled));
            }
        } else if self.runner.woken.replace(false) {
            return Poll::Ready(Ok(Event::Woken));
        }
        self.check()?;
        if !self.runner.fired.replace(false) {
            return Poll::Pending;
        }
        self.timer = None;
        if self.future.take().is_none() {
            let (ms, end) = self.sleep;
            if ms < LONGEST_TIMER_MS && now() < end {
                now_at_least(end);
            }
        }
        Poll::Ready(Ok(Event::Timeout))
    }

    /// Waits for a promise that never rejects.
    pub fn wait_for(&mut self, promise: Promise) {
        self.future = Some(promise.into());
    }

    /// Sleeps, unless the runtime comes back to life before.
    pub fn sleep(&mut self, ms: f64) {
        self.sleep = (ms, now() + ms);
        self.runner.woken.set(false);
        self.limit(ms);
    }

    /// How much is left of a sleep.
    pub fn left(&self) -> f64 {
        self.sleep.1 - now()
    }

    /// Sets the timer; none for a time without end.
    pub fn limit(&mut self, ms: f64) {
        self.timer = None;
        self.runner.fired.set(false);
        if ms < f64::INFINITY {
            let runner = Rc::clone(&self.runner);
            self.timer = Some(Timeout::new(ms.min(LONGEST_TIMER_MS).ceil() as u32, move || {
                trap::at("timer");
                runner.fired.set(true);
                task::run(&runner);
            }));
        }
    }

    /// Ends the time of the timer.
    pub fn unlimit(&mut self) {
        self.limit(f64::INFINITY);
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
