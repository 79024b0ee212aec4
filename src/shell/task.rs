//! Runs a job whenever something wakes it, there and then.
//!
//! A queue for all calls, as `spawn_local` has it, would run the calls of one edge request in the context of
//! another, and stand still for ever where a request is cancelled with the queue just scheduled.
#![allow(unsafe_code)]

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    task::{Context, RawWaker, RawWakerVTable, Waker},
};

use super::jobs::Job;

/// What timers and promises wake.
#[derive(Default)]
pub struct Runner {
    /// None before it begins, and once it has ended.
    job: RefCell<Option<Job>>,
    /// Whether it was woken while it ran.
    again: Cell<bool>,
    /// Whether the host has woken it.
    pub woken: Cell<bool>,
    /// Whether its timer has run out.
    pub fired: Cell<bool>,
}

/// Runs a job to its end, the first stretch at once.
pub fn spawn(runner: &Rc<Runner>, job: Job) {
    *runner.job.borrow_mut() = Some(job);
    run(runner);
}

/// Runs a job as far as it comes now.
pub fn run(runner: &Rc<Runner>) {
    runner.again.set(true);
    let Ok(mut slot) = runner.job.try_borrow_mut() else {
        return;
    };
    // SAFETY: the pointer is a reference of its own, and the table below keeps the count of them.
    let waker = unsafe { Waker::from_raw(clone(Rc::as_ptr(runner).cast())) };
    let mut context = Context::from_waker(&waker);
    while runner.again.replace(false) {
        if slot.as_mut().is_none_or(|job| job.advance(&mut context)) {
            *slot = None;
        }
    }
}

const TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop);

fn clone(runner: *const ()) -> RawWaker {
    // SAFETY: every pointer in a waker comes from `Rc::into_raw` or `Rc::as_ptr` of a living runner.
    unsafe { Rc::increment_strong_count(runner.cast::<Runner>()) };
    RawWaker::new(runner, &TABLE)
}

fn wake(runner: *const ()) {
    // SAFETY: as for `clone`; this takes the waker's reference over.
    run(&unsafe { Rc::from_raw(runner.cast::<Runner>()) });
}

fn wake_by_ref(runner: *const ()) {
    let _ = clone(runner);
    wake(runner);
}

fn drop(runner: *const ()) {
    // SAFETY: as for `wake`.
    unsafe { Rc::decrement_strong_count(runner.cast::<Runner>()) };
}
