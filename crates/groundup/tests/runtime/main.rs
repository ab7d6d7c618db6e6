//! The runtime for futures: tasks, time, cancellation, and descriptors.

mod async_io;
mod cancellation;
mod entering;
#[path = "../limit/mod.rs"]
mod limit;
mod recording;
mod tasks;
mod time;
mod wakers;

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Poll, Wake};

/// A list that tasks of one thread share.
#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn write(&self, line: impl ToString) {
        self.0.borrow_mut().push(line.to_string());
    }

    fn take(&self) -> Vec<String> {
        self.0.take()
    }

    /// Something that writes `name` down when it is dropped.
    fn guard(&self, name: &'static str) -> Guard {
        Guard { name, log: self.clone() }
    }
}

struct Guard {
    name: &'static str,
    log: Log,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.log.write(self.name);
    }
}

/// Calls a closure when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A waker that counts.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Bell {
    fn rung(&self) -> usize {
        self.0.load(Relaxed)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// The output of the future that is ready first; the other is dropped.
async fn race<T>(one: impl Future<Output = T>, other: impl Future<Output = T>) -> T {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|context| match one.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(output),
        Poll::Pending => other.as_mut().poll(context),
    })
    .await
}
