//! What is told of the jobs that executors have: when they are given away, and when the loop hears of
//! their ends.

use std::cell::RefCell;
use std::collections::HashMap;

use groundup::recorder::{Verb, pair};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyWeakrefReference;

use super::callables::name_of_callable;
use super::narrator::Narrator;
use crate::event_loop::Ready;

/// The jobs that have not ended, by the addresses of the futures that the loop has for them.
pub type Jobs = RefCell<HashMap<usize, Job>>;

/// A job of an executor's.
pub struct Job {
    pub function: String,
    /// A weak reference to the executor's own future.
    source: Py<PyWeakrefReference>,
}

impl Job {
    fn is_done(&self, py: Python<'_>) -> PyResult<bool> {
        match self.source.bind(py).upgrade() {
            Some(source) => source.call_method0(intern!(py, "done"))?.is_truthy(),
            None => Ok(true),
        }
    }
}

impl Narrator {
    /// Says that an executor was given a job: its own future is the source of the loop's.
    pub fn begin_job(
        &self,
        future: &Bound<'_, PyAny>,
        source: &Bound<'_, PyAny>,
        function: &Bound<'_, PyAny>,
    ) {
        let function = name_of_callable(function).unwrap_or_default();
        let Ok(source) = PyWeakrefReference::new(source) else { return };
        let (address, source) = (future.as_ptr().addr(), source.unbind());
        self.flight.note(Verb::Job, address as u64, pair(self.flight.name(&function), 0));
        self.jobs.borrow_mut().insert(address, Job { function, source });
        // It may have been so short that the future has its result already.
        let is_done = future.call_method0(intern!(future.py(), "done"));
        if is_done.and_then(|it| it.is_truthy()).unwrap_or(false) {
            self.end_job_at(address);
        }
    }

    /// Says that a future has got its result, if an executor's job was to give it.
    pub(super) fn end_job(&self, future: &Bound<'_, PyAny>) {
        self.end_job_at(future.as_ptr().addr());
    }

    /// The job of a future that is done, if there is one: it may be cancelled in a callback of that.
    pub(super) fn job_of(&self, ready: &Ready) -> Option<usize> {
        let Ready::Done(callback) = ready else { return None };
        let address = callback.future().as_ptr().addr();
        self.jobs.borrow().contains_key(&address).then_some(address)
    }

    /// Says that a job has ended, if it has.
    pub(super) fn end_job_if_done(&self, py: Python<'_>, address: usize) {
        let job = self.jobs.borrow_mut().remove(&address);
        let Some(job) = job else { return };
        let is_done = job.is_done(py).unwrap_or(true);
        self.jobs.borrow_mut().insert(address, job);
        if is_done {
            self.end_job_at(address);
        }
    }

    fn end_job_at(&self, address: usize) {
        let job = self.jobs.borrow_mut().remove(&address);
        if let Some(job) = job {
            self.flight.note(Verb::Job, address as u64, pair(self.flight.name(&job.function), 0));
        }
    }
}
