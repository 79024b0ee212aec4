//! Runs a job when its host or its timer wakes it.
//!
//! A queue for all calls, as `spawn_local` has it, would run the calls of one edge request in the context of
//! another, and stand still for ever where a request is cancelled with the queue just scheduled.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use super::jobs::Job;

/// A job, and what has woken it.
#[derive(Default)]
pub struct Runner {
    /// None before it begins, and once it has ended.
    job: RefCell<Option<Job>>,
    /// Whether the host has woken it.
    pub woken: Cell<bool>,
    /// Whether its timer has run out.
    pub fired: Cell<bool>,
}

/// Keeps a job until it has ended.
pub fn spawn(runner: &Rc<Runner>, job: Job) {
    *runner.job.borrow_mut() = Some(job);
}

/// Runs a job as far as it comes now. It is never woken while it runs: see `js/client/call.js`.
pub fn run(runner: &Rc<Runner>) {
    let mut slot = runner.job.borrow_mut();
    if slot.as_mut().is_some_and(Job::advance) {
        *slot = None;
    }
}
