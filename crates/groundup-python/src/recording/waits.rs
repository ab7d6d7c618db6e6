//! What tasks wait for, in the words that a recording has for it.

use std::borrow::Cow;

use groundup::poller::Readiness;
use groundup::recorder::{Verb, pair};
use pyo3::intern;
use pyo3::prelude::*;

use super::chains::{Awaiting, Reason};
use super::narrator::Narrator;
use super::task_view::{TaskView, is_task};
use crate::native_coroutine::Goal;
use crate::tasks::Future;
use crate::{ffi, transports};

/// What is waited for in a function of asyncio's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

    /// Whether it is something that the loop looks after.
    fn is_loops(self) -> bool {
        matches!(self, Self::Child | Self::Readable | Self::Writable)
    }

    /// What is waited for in a method of this object, if it is something that the loop looks after.
    fn goal(self, object: &Bound<'_, PyAny>) -> Option<Goal> {
        let py = object.py();
        let socket = |direction| {
            let transport = ffi::attribute(object, intern!(py, "_transport"))?;
            Some(Goal::Socket(transports::descriptor_of(&transport)?, direction))
        };
        match self {
            Self::Child => {
                Some(Goal::Child(ffi::attribute(object, intern!(py, "pid"))?.extract().ok()?))
            }
            Self::Readable => socket(Readiness::READABLE),
            Self::Writable => socket(Readiness::WRITABLE),
            _ => None,
        }
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
        let what = self.flight.name(&self.awaited(waiter, &awaiting)?);
        let chain = self.chain(&awaiting);
        self.flight.note(Verb::Wait, task.id().0, pair(what, chain));
        Ok(())
    }

    /// What is waited for by whoever awaits this future.
    fn awaited(
        &self,
        future: &Bound<'_, PyAny>,
        awaiting: &[Awaiting<'_>],
    ) -> PyResult<Cow<'static, str>> {
        let py = future.py();
        let address = future.as_ptr().addr();
        if let Some(job) = self.jobs.borrow().get(&address) {
            return Ok(format!("executor job {}", job.function).into());
        }
        if is_task(future) {
            let name = future.call_method0(intern!(py, "get_name"))?;
            return Ok(format!("task {}", name.str()?.to_string_lossy()).into());
        }
        // The outermost knows best: who waits for a queue may do so by an event. But which socket or
        // child it is, the loop's own coroutine knows.
        let reasons = || awaiting.iter().filter_map(|it| it.reason.as_ref());
        let goal = reasons().find_map(|reason| match reason {
            Reason::Goal(goal) => Some(*goal),
            Reason::Kind(..) => None,
        });
        match (reasons().next(), goal) {
            (Some(Reason::Kind(kind, frame)), None) => Ok(self.words(*kind, frame.as_ref())),
            (Some(Reason::Kind(kind, frame)), Some(_)) if !kind.is_loops() => {
                Ok(self.words(*kind, frame.as_ref()))
            }
            (_, Some(goal)) => Ok(goal.to_string().into()),
            _ => class_of(future),
        }
    }

    /// What is waited for in a function of asyncio's: of which lock or socket it is a method, if that can
    /// be told.
    fn words(&self, kind: Kind, frame: Option<&Bound<'_, PyAny>>) -> Cow<'static, str> {
        let words = kind.words();
        let of = |frame: &Bound<'_, PyAny>| -> Option<String> {
            let object = ffi::local(frame, intern!(frame.py(), "self"))?;
            if kind.is_loops() {
                return kind.goal(&object).map(|goal| goal.to_string());
            }
            Some(format!("{words} {}", self.things.number(kind, &object)?))
        };
        let is_of_an_object = !matches!(kind, Kind::Timer | Kind::Tasks);
        let of = frame.filter(|_| is_of_an_object).and_then(of);
        of.map_or(Cow::Borrowed(words), Cow::Owned)
    }
}

/// What is waited for by whoever awaits a future of which nothing else is known.
fn class_of(future: &Bound<'_, PyAny>) -> PyResult<Cow<'static, str>> {
    if Future::of(future).is_some() {
        return Ok("future".into());
    }
    let class = future.get_type().name()?;
    Ok(match &*class.to_string_lossy() {
        "_GatheringFuture" => "gather".into(),
        "Future" => "future".into(),
        class => format!("future {class}").into(),
    })
}
