//! What tasks wait for, in the words that a recording has for it.

use std::cell::RefCell;
use std::collections::HashMap;

use groundup::recorder::{Verb, pair};
use pyo3::intern;
use pyo3::prelude::*;

use super::callbacks::name_of_callable;
use super::chains::Awaiting;
use super::narrator::Narrator;
use super::task_view::TaskView;
use crate::imports;
use crate::tasks::Future;

/// What is waited for in a function of asyncio's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Timer,
    Lock,
    Event,
    Condition,
    Semaphore,
    Barrier,
    Queue,
    Child,
    Readable,
    Writable,
    Tasks,
}

impl Kind {
    /// The kind of a function of this name in a file of asyncio's, if it has any.
    pub fn of_function(module: &str, function: &str) -> Option<Self> {
        let kind = match (module, function) {
            ("tasks.py", "sleep") => Self::Timer,
            ("tasks.py", "_wait") | ("taskgroups.py", _) => Self::Tasks,
            ("locks.py", "Lock.acquire") => Self::Lock,
            ("locks.py", "Event.wait") => Self::Event,
            ("locks.py", "Condition.wait") => Self::Condition,
            ("locks.py", "Semaphore.acquire") => Self::Semaphore,
            ("locks.py", "Barrier.wait") => Self::Barrier,
            ("queues.py", "Queue.get" | "Queue.put" | "Queue.join") => Self::Queue,
            ("subprocess.py", "Process.wait") | ("base_subprocess.py", _) => Self::Child,
            ("streams.py", "StreamReader._wait_for_data") => Self::Readable,
            ("streams.py", "FlowControlMixin._drain_helper") => Self::Writable,
            _ => return None,
        };
        Some(kind)
    }

    fn words(self) -> &'static str {
        match self {
            Self::Timer => "timer",
            Self::Lock => "lock",
            Self::Event => "event",
            Self::Condition => "condition",
            Self::Semaphore => "semaphore",
            Self::Barrier => "barrier",
            Self::Queue => "queue",
            Self::Child => "child process",
            Self::Readable => "socket readable",
            Self::Writable => "socket writable",
            Self::Tasks => "tasks",
        }
    }
}

/// The functions of jobs that executors have, by the addresses of their futures.
pub type Jobs = RefCell<HashMap<usize, String>>;

impl Narrator {
    /// Says what a task waits for.
    ///
    /// # Errors
    ///
    /// What asking the objects raises.
    pub(super) fn tell_wait(&self, task: &TaskView<'_>) -> PyResult<()> {
        let Some(waiter) = &task.waiter else { return Ok(()) };
        let awaiting = match &task.coroutine {
            Some(coroutine) => self.awaiting(coroutine)?,
            None => Vec::new(),
        };
        let what = match self.expected.take() {
            Some(expected) => self.flight.name(&expected),
            None => self.flight.name(&self.awaited(waiter, &awaiting)?),
        };
        let chain = self.chain(&awaiting);
        self.flight.note(Verb::Wait, task.id().0, pair(what, chain));
        Ok(())
    }

    /// What is waited for by whoever awaits this future.
    fn awaited(&self, future: &Bound<'_, PyAny>, awaiting: &[Awaiting]) -> PyResult<String> {
        let py = future.py();
        let address = future.as_ptr().addr();
        if let Some(function) = self.jobs.borrow().get(&address) {
            return Ok(format!("executor job {function}"));
        }
        if future.is_instance(&imports::task(py)?)? {
            let name = future.call_method0(intern!(py, "get_name"))?;
            return Ok(format!("task {}", name.str()?.to_string_lossy()));
        }
        // The outermost knows best: who waits for a queue may do so by an event.
        let kind = awaiting.iter().find_map(|it| it.code.as_ref()?.kind);
        if let Some(kind) = kind {
            return Ok(kind.words().to_owned());
        }
        if Future::of(future).is_some() {
            return Ok("future".to_owned());
        }
        let class = future.get_type().name()?.to_string_lossy().into_owned();
        Ok(match class.as_str() {
            "_GatheringFuture" => "gather".to_owned(),
            "Future" => "future".to_owned(),
            _ => format!("future {class}"),
        })
    }

    /// Says that an executor was given a job.
    pub fn begin_job(&self, future: &Bound<'_, PyAny>, function: &Bound<'_, PyAny>) {
        let function = name_of_callable(function).unwrap_or_default();
        let address = future.as_ptr().addr();
        self.flight.note(Verb::Job, address as u64, pair(self.flight.name(&function), 0));
        self.jobs.borrow_mut().insert(address, function);
    }

    /// Says that a future has got its result, if an executor's job was to give it.
    pub(super) fn end_job(&self, future: &Bound<'_, PyAny>) {
        let address = future.as_ptr().addr();
        if let Some(function) = self.jobs.borrow_mut().remove(&address) {
            self.flight.note(Verb::Job, address as u64, pair(self.flight.name(&function), 0));
        }
    }
}
