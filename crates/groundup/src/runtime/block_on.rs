//! The front door: a future in, its output out.

use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::host::{Entered, Runtime};
use super::origin::Origin;
use super::tasks::TaskKey;
use crate::recorder::Recorder;

/// Runs a future to its end on a new event loop of this thread.
///
/// Tasks that are still there when it ends are cancelled.
///
/// # Panics
///
/// When called inside itself, when the loop cannot be made (no descriptors left) or cannot poll, and
/// when `future` panics.
///
/// # Examples
///
/// ```
/// assert_eq!(groundup::block_on(async { 6 * 7 }), 42);
/// ```
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    let origin = Origin::of::<F>(Location::caller());
    let runtime = Rc::new(Runtime::new(origin).expect("cannot make an event loop"));
    // Declared in this order, the future is dropped while the runtime is still entered.
    let _entered = Entered::new(runtime.clone());
    let mut future = pin!(future);
    let waker = runtime.root.0.clone().into();
    loop {
        if let Poll::Ready(output) = step(&runtime, future.as_mut(), &waker) {
            return output;
        }
        runtime.events.run(&runtime).expect("the event loop cannot poll");
    }
}

/// A step of the root.
fn step<F: Future>(runtime: &Runtime, future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    runtime.tell(|witness| witness.begin_step(TaskKey::ROOT));
    runtime.root.0.begin_step();
    let poll = || future.poll(&mut Context::from_waker(waker));
    let outcome = catch_unwind(AssertUnwindSafe(poll)).unwrap_or_else(|panic| {
        runtime.tell(|witness| witness.panic(&*panic));
        runtime.tell(|witness| witness.finish(TaskKey::ROOT));
        resume_unwind(panic)
    });
    runtime.tell(|witness| {
        match outcome {
            Poll::Ready(_) => witness.finish(TaskKey::ROOT),
            Poll::Pending if runtime.waits(TaskKey::ROOT) => witness.wait(TaskKey::ROOT),
            Poll::Pending => {}
        }
        witness.step_end();
    });
    outcome
}
