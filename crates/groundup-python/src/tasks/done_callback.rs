//! A callback of a future that is done: it stands on the ready queue by itself, and gets a handle only
//! when somebody looks at it there, when it fails, or in debug mode.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::classes::Future;
use crate::call::Call;
use crate::contexts::CallContext;
use crate::event_loop::EventLoop;
use crate::handle::Handle;

/// What is called with a future, and in which context.
#[derive(Clone)]
pub struct DoneCallback {
    callback: Py<PyAny>,
    future: Py<Future>,
    context: CallContext,
}

impl DoneCallback {
    /// The callback `callback` of `future`.
    pub fn new(
        callback: Bound<'_, PyAny>,
        future: &Bound<'_, Future>,
        context: CallContext,
    ) -> Self {
        Self { callback: callback.unbind(), future: future.clone().unbind(), context }
    }

    /// The future that is done.
    pub fn future(&self) -> &Py<Future> {
        &self.future
    }

    /// What is called.
    pub fn callback<'a, 'py>(&'a self, py: Python<'py>) -> &'a Bound<'py, PyAny> {
        self.callback.bind(py)
    }

    /// Makes the call, in its context.
    ///
    /// # Errors
    ///
    /// What it raises.
    #[inline]
    pub fn make(&mut self, py: Python<'_>) -> PyResult<()> {
        let future = self.future.bind(py).as_any();
        let callback = self.callback.bind(py);
        self.context.run_unseen(py, || callback.call1((future,)).map(drop))
    }

    /// A handle that makes the call.
    ///
    /// # Errors
    ///
    /// What making it raises.
    pub fn handle<'py>(&self, event_loop: &Bound<'py, EventLoop>) -> PyResult<Bound<'py, Handle>> {
        let py = event_loop.py();
        let arguments = PyTuple::new(py, [self.future.bind(py).as_any()])?;
        let call = Call::new(self.callback.bind(py).clone(), arguments);
        Handle::new(event_loop, call, Some(self.context.object(py)))
    }

    /// Lets go of everything, without asking whether this thread holds the interpreter lock.
    #[inline]
    pub fn let_go(self, py: Python<'_>) {
        self.callback.drop_ref(py);
        self.future.drop_ref(py);
        self.context.let_go(py);
    }

    /// Shows the garbage collector what it holds.
    pub fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.callback)?;
        visit.call(&self.future)?;
        self.context.traverse(&visit)
    }
}
