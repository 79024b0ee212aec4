//! Runs the future of a call whenever something wakes it, there and then.
//!
//! A queue for all calls, as `spawn_local` has it, would run the calls of one edge request in the context of
//! another, and stand still for ever where a request is cancelled with the queue just scheduled.
#![allow(unsafe_code)]

use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, RawWaker, RawWakerVTable, Waker},
};

struct Task {
    /// None once it has ended.
    future: RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>>,
    /// Whether it was woken while it ran.
    again: Cell<bool>,
}

/// Runs a future to its end, the first stretch at once.
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    wake(
        Rc::into_raw(Rc::new(Task { future: RefCell::new(Some(Box::pin(future))), again: Cell::new(false) }))
            .cast(),
    );
}

fn run(task: &Rc<Task>) {
    task.again.set(true);
    let Ok(mut slot) = task.future.try_borrow_mut() else {
        return;
    };
    // SAFETY: the pointer is a reference of its own, and the table below keeps the count of them.
    let waker = unsafe { Waker::from_raw(clone(Rc::as_ptr(task).cast())) };
    let mut context = Context::from_waker(&waker);
    while task.again.replace(false) {
        let ended = slot.as_mut().is_none_or(|future| future.as_mut().poll(&mut context).is_ready());
        if ended {
            *slot = None;
        }
    }
}

const TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop);

fn clone(task: *const ()) -> RawWaker {
    // SAFETY: every pointer in a waker comes from `Rc::into_raw` or `Rc::as_ptr` of a living task.
    unsafe { Rc::increment_strong_count(task.cast::<Task>()) };
    RawWaker::new(task, &TABLE)
}

fn wake(task: *const ()) {
    // SAFETY: as for `clone`; this takes the waker's reference over.
    run(&unsafe { Rc::from_raw(task.cast::<Task>()) });
}

fn wake_by_ref(task: *const ()) {
    let _ = clone(task);
    wake(task);
}

fn drop(task: *const ()) {
    // SAFETY: as for `wake`.
    unsafe { Rc::decrement_strong_count(task.cast::<Task>()) };
}
