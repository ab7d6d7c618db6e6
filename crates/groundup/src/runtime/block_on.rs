//! The front door: a future in, its output out.

use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::host::{Entered, Runtime};
use super::tasks::{TaskKey, TaskWaker};

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
pub fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = Rc::new(Runtime::new().expect("cannot make an event loop"));
    // Declared in this order, the future is dropped while the runtime is still entered.
    let _entered = Entered::new(runtime.clone());
    let mut future = pin!(future);
    let root = TaskWaker::new(TaskKey::ROOT, runtime.events.inbox().clone());
    let waker = root.waker();
    loop {
        root.begin_step();
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        runtime.events.run(&runtime).expect("the event loop cannot poll");
    }
}
