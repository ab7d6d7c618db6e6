//! What is told of calls: which function the loop calls, or whose step a call is.

use std::rc::Rc;

use groundup::recorder::{Name, Recorder, Verb, pair};
use pyo3::intern;
use pyo3::prelude::*;

use super::codes::Code;
use super::narrator::Narrator;
use super::task_view::id_of;
use crate::call::Call;
use crate::event_loop::Ready;
use crate::ffi;
use crate::imports;
use crate::tasks::Future;
use crate::transports::Step;

/// How often a callable is looked into for the one that it calls, at most.
const DEEPEST: usize = 8;

impl Narrator {
    /// Resumes what is ready, and tells what it is and what its step comes to.
    ///
    /// # Errors
    ///
    /// Those of `resume`.
    pub fn resume<E>(
        &self,
        py: Python<'_>,
        ready: Ready,
        resume: impl FnOnce(Ready) -> Result<(), E>,
    ) -> Result<(), E> {
        self.watch(|| {
            drop(self.expected.take());
            let task = self.tell_of_ready(py, &ready);
            let outcome = resume(ready);
            if let Some(task) = task {
                self.tell_outcome(task.bind(py));
            }
            outcome
        })
    }

    /// Says what goes on; returns the task whose step it is.
    fn tell_of_ready(&self, py: Python<'_>, ready: &Ready) -> Option<Py<PyAny>> {
        match ready {
            Ready::Step(task) | Ready::Wake(task) => {
                return Some(task.clone_ref(py).into_any());
            }
            Ready::Handle(handle) | Ready::Repeatable(handle) => {
                return self.tell_of_call(py, &handle.get().call(py)?);
            }
            Ready::ThreadSafe(handle) => {
                let call = handle.bind(py).as_super().get().call(py)?;
                return self.tell_of_call(py, &call);
            }
            Ready::Done(callback) => return self.tell_of_function(callback.callback(py)),
            Ready::Foreign(handle) => {
                let callback = handle.bind(py).getattr(intern!(py, "_callback")).ok()?;
                self.tell_callback(&callback);
            }
            Ready::Opened(_) => self.tell_own("connection_made"),
            Ready::Lost(_) => self.tell_own("connection_lost"),
            Ready::Datagram(_, Step::Open) => self.tell_own("connection_made"),
            Ready::Datagram(_, Step::Finish) => self.tell_own("connection_lost"),
        }
        None
    }

    fn tell_of_call(&self, py: Python<'_>, call: &Call) -> Option<Py<PyAny>> {
        let callback = call.callback().bind(py);
        if let Some((future, _)) = call.two_arguments() {
            self.end_job(future.bind(py));
            self.tell_expiry(callback, future.bind(py));
        }
        self.tell_of_function(callback)
    }

    fn tell_of_function(&self, callback: &Bound<'_, PyAny>) -> Option<Py<PyAny>> {
        if let Some(task) = resumed_by(callback) {
            self.flight.note(Verb::Resume, id_of(&task).0, 0);
            return Some(task.unbind());
        }
        self.tell_callback(callback);
        None
    }

    /// Says for whom a timer has expired: for the task that sleeps, rather than for the callback that ends
    /// its sleep.
    fn tell_expiry(&self, callback: &Bound<'_, PyAny>, future: &Bound<'_, PyAny>) {
        let py = callback.py();
        let ends_sleep = imports::set_result_unless_cancelled(py).is_ok_and(|it| callback.is(it));
        if !ends_sleep {
            return;
        }
        if let Some(task) = Future::of(future).and_then(Future::waiting_task) {
            self.flight.timer_expire(id_of(task.as_any()));
        }
    }

    /// Says which function is called in the step that has just begun.
    pub fn tell_callback(&self, callback: &Bound<'_, PyAny>) {
        let Ok(names) = self.callable_names(callback) else { return };
        self.flight.note(Verb::Callback, 0, pair(names.0, names.1));
    }

    fn tell_own(&self, method: &str) {
        self.flight.note(Verb::Callback, 0, pair(self.flight.name(method), 0));
    }

    /// The numbers of a callable's name and its place.
    fn callable_names(&self, callable: &Bound<'_, PyAny>) -> PyResult<(Name, Name)> {
        let callable = innermost(callable)?;
        let py = callable.py();
        if let Some(code) = callable.getattr_opt(intern!(py, "__code__"))? {
            let code = self.code(&code)?;
            let names = self.names_of(&code);
            return Ok((names.function, names.place));
        }
        Ok((self.flight.name(&qualified_name(&callable)?), 0))
    }

    /// What a coroutine runs.
    ///
    /// # Errors
    ///
    /// What asking it raises.
    pub(super) fn function_of(&self, coroutine: &Bound<'_, PyAny>) -> PyResult<Name> {
        match self.code_of(coroutine)? {
            Some(code) => Ok(self.names_of(&code).function),
            None => Ok(self.flight.name(&qualified_name(coroutine)?)),
        }
    }

    /// The code of a coroutine in Python.
    ///
    /// # Errors
    ///
    /// What asking it raises.
    pub(super) fn code_of(&self, coroutine: &Bound<'_, PyAny>) -> PyResult<Option<Rc<Code>>> {
        let py = coroutine.py();
        let generator = ffi::is_generator(coroutine);
        let code = if generator { intern!(py, "gi_code") } else { intern!(py, "cr_code") };
        coroutine.getattr_opt(code)?.map(|code| self.code(&code)).transpose()
    }
}

/// What a function is called.
///
/// # Errors
///
/// What asking it raises.
pub fn name_of_callable(callable: &Bound<'_, PyAny>) -> PyResult<String> {
    qualified_name(&innermost(callable)?)
}

/// The function behind methods and `functools.partial`s.
fn innermost<'py>(callable: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = callable.py();
    let mut innermost = callable.clone();
    for _ in 0..DEEPEST {
        let next = if innermost.is_instance(imports::partial(py)?)? {
            innermost.getattr(intern!(py, "func"))?
        } else if let Some(function) = innermost.getattr_opt(intern!(py, "__func__"))? {
            function
        } else {
            break;
        };
        innermost = next;
    }
    Ok(innermost)
}

fn qualified_name(object: &Bound<'_, PyAny>) -> PyResult<String> {
    let name = object.getattr_opt(intern!(object.py(), "__qualname__"))?;
    match name {
        Some(name) => Ok(name.str()?.to_string_lossy().into_owned()),
        None => Ok(object.get_type().qualname()?.to_string_lossy().into_owned()),
    }
}

/// The task that a callback of asyncio's own code resumes.
fn resumed_by<'py>(callback: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let py = callback.py();
    let task = callback.getattr_opt(intern!(py, "__self__")).ok()??;
    let is_step = match callback.getattr_opt(intern!(py, "__name__")).ok()? {
        Some(name) => ["task_wakeup", "__step", "__wakeup", "_Task__step", "_Task__wakeup"]
            .iter()
            .any(|it| name.eq(it).unwrap_or(false)),
        None => callback.get_type().name().is_ok_and(|it| it == "TaskStepMethWrapper"),
    };
    let is_task = || task.is_instance(imports::asyncio_task(py).ok()?).ok();
    (is_step && is_task() == Some(true)).then_some(task)
}
