//! What an entry of the ready queue needs, and how far away from it that is; see
//! [`groundup::event_loop::Host::prefetch`].

use std::ptr;

use pyo3::prelude::*;

use super::host::{Ready, Source};
use crate::call::Call;
use crate::ffi;
use crate::tasks::{Future, Task, layout};

/// How much of an object is read, in bytes.
const TASK: usize = 256;
const FUTURE: usize = 192;
const COROUTINE: usize = 256;
const HANDLE: usize = 192;
const CALLABLE: usize = 64;
const STREAM: usize = 512;

/// Has memory fetched for what is to be resumed.
#[inline(always)]
pub fn prefetch(py: Python<'_>, ready: &Ready, links: usize) {
    match (ready, links) {
        (Ready::Step(task) | Ready::Wake(task), 0) => ffi::prefetch(task.as_ptr(), TASK),
        (Ready::Step(task) | Ready::Wake(task), 1) => prefetch_step(task.bind(py)),
        (Ready::Done(callback), 0) => ffi::prefetch(ptr::from_ref(callback.as_ref()), CALLABLE),
        (Ready::Done(callback), 1) => ffi::prefetch(callback.future().as_ptr(), FUTURE),
        (Ready::Handle(handle), 0) => ffi::prefetch(handle.as_ptr(), HANDLE),
        (Ready::Handle(handle), 1) => handle.get().lend_call(py).iter().for_each(prefetch_call),
        (Ready::Handle(handle), 2) => {
            handle.get().lend_call(py).iter().for_each(|call| prefetch_waiter(py, call));
        }
        _ => {}
    }
}

#[inline(always)]
fn prefetch_step(task: &Bound<'_, Task>) {
    let fields = Task::fields(task);
    layout::prefetch(&fields.coroutine, COROUTINE);
    layout::prefetch(&fields.waiter, FUTURE);
}

/// A callback, and what it is called with.
#[inline(always)]
fn prefetch_call(call: &Call) {
    ffi::prefetch(call.callback().as_ptr(), CALLABLE);
    if let Some(first) = call.first_argument() {
        ffi::prefetch(first.as_ptr(), FUTURE);
    }
}

/// The task that waits for a future, if a call is to set that.
#[inline(always)]
fn prefetch_waiter(py: Python<'_>, call: &Call) {
    let first = call.first_argument().map(|first| first.bind(py));
    if let Some(future) = first.and_then(Future::of) {
        layout::prefetch(&Future::fields(future).callback, TASK);
    }
}

/// Has memory fetched for what is to be told of an event.
#[inline(always)]
pub fn prefetch_source(py: Python<'_>, source: &Source, links: usize) {
    match (source, links) {
        (Source::Stream(stream), 0) => ffi::prefetch(stream.as_ptr(), STREAM),
        (Source::Stream(stream), 1) => stream.get().prefetch_listeners(py),
        (Source::Watchers(watchers), 0) => ffi::prefetch(watchers.as_ptr(), HANDLE),
        _ => {}
    }
}
