//! One call: its options, its signal, its timers, and the one place where it waits.

use std::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll, Waker},
};

use gloo_timers::callback::Timeout;
use js_sys::{Date, Math};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use wasm_bindgen_futures::JsFuture;

use super::{
    js::{self, Host},
    trap,
};
use crate::core::{Clock, Environment, Failure, Options, Task, Type, Value};

/// The longest time that a timer of the platform can count, in milliseconds.
const LONGEST_TIMER_MS: f64 = 2_147_483_647.0;

thread_local! {
    static CLOCK: RefCell<Clock> = const { RefCell::new(Clock::new()) };
}

/// The time in milliseconds, by both clocks of the runtime.
pub fn now() -> f64 {
    CLOCK.with_borrow_mut(|clock| clock.read(js::monotonic_now(), Date::now()))
}

/// A number in 0..1.
pub fn random() -> f64 {
    Math::random()
}

/// Why a call ends without a result.
pub enum End {
    /// Rejects with a value that is not ours: the reason of the caller's signal.
    Thrown(JsValue),
    /// Rejects with an error of ours.
    Failed(Failed),
}

/// A failure with the JavaScript values that belong to it.
pub struct Failed {
    failure: Box<Failure>,
    /// What the attempt brought that led to it, or its `cause` alone.
    about: JsValue,
    task: JsValue,
}

impl From<Box<Failure>> for End {
    fn from(failure: Box<Failure>) -> End {
        End::about(failure, JsValue::UNDEFINED)
    }
}

impl End {
    /// A failure that an attempt led to.
    pub fn about(failure: Box<Failure>, about: JsValue) -> End {
        let task = failure.task.as_ref().map(task_to_js).unwrap_or_default();
        End::Failed(Failed { failure, about, task })
    }

    /// A failure with its cause.
    pub fn with_cause(failure: Box<Failure>, cause: &JsValue) -> End {
        End::about(failure, js::attempt(cause))
    }

    /// The same end, with the task that goes on in spite of it.
    pub fn of_task(mut self, task: &Task) -> End {
        if let End::Failed(failed) = &mut self {
            failed.failure.leave_task();
            failed.task = task_to_js(task);
        }
        self
    }

    /// What the promise of the call rejects with.
    pub fn into_js(self) -> JsValue {
        match self {
            End::Thrown(reason) => reason,
            End::Failed(Failed { failure, about, task }) => js::make_error(
                failure.kind as u8,
                failure.outcome as u8,
                &failure.message,
                failure.status,
                failure.param,
                failure.retry_after_ms,
                &about,
                &task,
            ),
        }
    }
}

/// A task reference as plain JSON.
pub fn task_to_js(task: &Task) -> JsValue {
    // As an array: the names of a struct's fields would bring a cache of three kilobytes.
    let parts = serde_wasm_bindgen::to_value(&(&task.id, &task.poll_url)).unwrap_or_default();
    js::task(&parts)
}

/// What ended a wait inside a call before its time.
pub enum Interrupt {
    Aborted(JsValue),
    Timeout,
}

/// A call under way.
pub struct Call {
    pub options: Options,
    pub host: Host,
    own: JsValue,
    client: JsValue,
    signal: JsValue,
    waiting: Rc<Waiting>,
    _listener: Closure<dyn FnMut()>,
}

/// What timers, signals and pages wake.
#[derive(Default)]
struct Waiting {
    waker: RefCell<Option<Waker>>,
    woken: Cell<bool>,
}

impl Waiting {
    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Call {
    pub fn new(own: JsValue, client: JsValue, host: Host) -> Result<Call, (Host, Box<Failure>)> {
        let options = match read_options(&own, &client, &host) {
            Ok(options) => options,
            Err(failure) => return Err((host, failure)),
        };
        let signal = option(&own, &client, "signal");
        let waiting = Rc::<Waiting>::default();
        let woken = Rc::clone(&waiting);
        let listener = Closure::<dyn FnMut()>::new(move || {
            trap::at("listener");
            woken.woken.set(true);
            woken.wake();
        });
        host.listen(&signal, listener.as_ref().unchecked_ref());
        Ok(Call { options, host, own, client, signal, waiting, _listener: listener })
    }

    /// An option of the call, or else of its client.
    pub fn option(&self, name: &str) -> JsValue {
        option(&self.own, &self.client, name)
    }

    /// Tells a callback, if there is one, whose failure must not end the call.
    pub fn tell(&self, name: &str, value: &JsValue) {
        self.host.tell(&self.option(name), value);
    }

    /// Fails with the reason of the caller's signal once that has aborted.
    pub fn check(&self) -> Result<(), JsValue> {
        if self.signal.get("aborted").flag() == Some(true) { Err(self.signal.get("reason")) } else { Ok(()) }
    }

    /// Waits until something is ready, the caller aborts or the timer, if there is one, runs out.
    async fn until<T>(
        &self,
        timer: Option<&Timer>,
        mut ready: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Result<T, Interrupt> {
        poll_fn(|context| {
            *self.waiting.waker.borrow_mut() = Some(context.waker().clone());
            // What has arrived counts, even where the caller aborts in the same moment: it may be a task.
            if let Poll::Ready(value) = ready(context) {
                return Poll::Ready(Ok(value));
            }
            if let Err(reason) = self.check() {
                return Poll::Ready(Err(Interrupt::Aborted(reason)));
            }
            if timer.is_some_and(|timer| timer.fired.get()) {
                return Poll::Ready(Err(Interrupt::Timeout));
            }
            Poll::Pending
        })
        .await
    }

    /// Awaits a value that may be a promise. The outer error is ours, the inner one its own.
    pub async fn settled(
        &self,
        value: &JsValue,
        timer: Option<&Timer>,
    ) -> Result<Result<JsValue, JsValue>, Interrupt> {
        let mut future = pin!(JsFuture::from(self.host.follow(value)));
        self.until(timer, |context| Pin::as_mut(&mut future).poll(context)).await
    }

    /// Sleeps, unless the runtime comes back to life before. Tells whether it did.
    pub async fn sleep(&self, ms: f64) -> Result<bool, End> {
        let end = now() + ms;
        let timer = self.timer(ms);
        self.waiting.woken.set(false);
        let ready = |_: &mut Context<'_>| {
            if self.waiting.woken.get() { Poll::Ready(()) } else { Poll::Pending }
        };
        match self.until(timer.as_ref(), ready).await {
            Ok(()) => Ok(true),
            Err(Interrupt::Timeout) => {
                if ms < LONGEST_TIMER_MS && now() < end {
                    CLOCK.with_borrow_mut(|clock| clock.at_least(end));
                }
                Ok(false)
            }
            Err(Interrupt::Aborted(reason)) => Err(End::Thrown(reason)),
        }
    }

    /// Sleeps to the end, whatever comes back to life.
    pub async fn rest(&self, ms: f64) -> Result<(), End> {
        let end = now() + ms;
        loop {
            self.sleep(end - now()).await?;
            if now() >= end {
                return Ok(());
            }
        }
    }

    /// A timer that wakes this call; none for a time without end.
    pub fn timer(&self, ms: f64) -> Option<Timer> {
        if ms == f64::INFINITY {
            return None;
        }
        let fired = Rc::new(Cell::new(false));
        let (flag, waiting) = (Rc::clone(&fired), Rc::clone(&self.waiting));
        let timeout = Timeout::new(ms.min(LONGEST_TIMER_MS).ceil() as u32, move || {
            trap::at("timer");
            flag.set(true);
            waiting.wake();
        });
        Some(Timer { fired, _timeout: timeout })
    }
}

/// A timer of a call; dropping it clears it.
pub struct Timer {
    fired: Rc<Cell<bool>>,
    _timeout: Timeout,
}

fn read_options(own: &JsValue, client: &JsValue, host: &Host) -> Result<Options, Box<Failure>> {
    for options in [own, client] {
        if !matches!(options.kind(), Type::Nothing | Type::Object) {
            return Err(Failure::invalid("options", "an object", options.kind()));
        }
    }
    Options::read(
        |name| option(own, client, name),
        Environment { browser: host.browser(), streams: host.streams() },
    )
}

fn option(own: &JsValue, client: &JsValue, name: &str) -> JsValue {
    let value = own.get(name);
    if value.is_nothing() { client.get(name) } else { value }
}
