//! What is told of calls: which function the loop calls, or whose step a call is.

use std::rc::Rc;

use groundup::recorder::{Name, Recorder, Verb, pair};
use pyo3::intern;
use pyo3::prelude::*;

use super::callables::{innermost, qualified_name, resumed_by};
use super::codes::Code;
use super::narrator::Narrator;
use super::task_view::id_of;
use crate::call::Call;
use crate::event_loop::{EventLoop, Ready};
use crate::ffi;
use crate::imports;
use crate::tasks::Future;
use crate::timer_handle::TimerHandle;
use crate::transports::Step;

impl Narrator {
    /// Resumes what is ready, and tells what it is and what its step comes to.
    ///
    /// # Errors
    ///
    /// Those of `resume`.
    pub fn resume<E>(
        &self,
        event_loop: &Bound<'_, EventLoop>,
        ready: Ready,
        resume: impl FnOnce(Ready) -> Result<(), E>,
    ) -> Result<(), E> {
        let py = event_loop.py();
        self.watch(|| {
            let task = self.tell_of_ready(py, &ready);
            let job = self.job_of(&ready);
            let outcome = resume(ready);
            if let Some(job) = job {
                self.end_job_if_done(py, job);
            }
            if let Some(task) = task {
                self.tell_outcome(task.bind(py));
                // The loop refers to it, while it counts as the current one, and this: it is about to go, and
                // what its end calls must not find it.
                if ffi::reference_count(task.bind(py)) <= 2 {
                    EventLoop::leave_task(event_loop);
                }
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
                let call = handle.get().call(py)?;
                if handle.bind(py).is_instance_of::<TimerHandle>() {
                    self.tell_expiry(py, &call);
                }
                return self.tell_of_call(py, &call);
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
    fn tell_expiry(&self, py: Python<'_>, call: &Call) {
        let callback = call.callback().bind(py);
        let ends_sleep = imports::set_result_unless_cancelled(py).is_ok_and(|it| callback.is(it));
        let Some((future, _)) = call.two_arguments().filter(|_| ends_sleep) else { return };
        if let Some(task) = Future::of(future.bind(py)).and_then(Future::waiting_task) {
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
        let callable = innermost(callable);
        if let Some(code) = ffi::attribute(&callable, intern!(callable.py(), "__code__")) {
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
        ffi::attribute(coroutine, code).map(|code| self.code(&code)).transpose()
    }
}
