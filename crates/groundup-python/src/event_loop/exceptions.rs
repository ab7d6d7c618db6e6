//! Where exceptions go that nobody awaits.

use std::cell::RefCell;

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::EventLoop;
use crate::{errors, ffi, imports};

/// The handler that set_exception_handler was given.
#[derive(Default)]
pub struct ExceptionHandler {
    handler: RefCell<Option<Py<PyAny>>>,
}

impl ExceptionHandler {
    pub fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.handler.try_borrow().map_or(Ok(()), |handler| visit.call(&*handler))
    }

    pub fn clear(&self) {
        drop(self.handler.take());
    }
}

impl EventLoop {
    /// Hands an exception to the loop's handler, through the method that subclasses may override.
    ///
    /// # Errors
    ///
    /// `SystemExit` and `KeyboardInterrupt` that the handler raises.
    pub fn report(event_loop: &Bound<'_, Self>, context: &Bound<'_, PyDict>) -> PyResult<()> {
        let name = intern!(event_loop.py(), "call_exception_handler");
        event_loop.call_method1(name, (context,)).map(drop)
    }

    fn handle_by_default(slf: &Bound<'_, Self>, context: &Bound<'_, PyAny>) -> PyResult<()> {
        let name = intern!(slf.py(), "default_exception_handler");
        slf.call_method1(name, (context,)).map(drop)
    }
}

#[pymethods]
impl EventLoop {
    /// Return the exception handler, or None if it is the default one.
    fn get_exception_handler(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.parts(py).exceptions.handler.borrow().as_ref().map(|handler| handler.clone_ref(py))
    }

    /// Set the exception handler, a callable of the loop and a dict; None means the default one.
    ///
    /// Raise TypeError if it is not callable.
    fn set_exception_handler(&self, handler: &Bound<'_, PyAny>) -> PyResult<()> {
        if !handler.is_none() && !handler.is_callable() {
            let repr = handler.repr()?;
            let message = format!("A callable object or None is expected, got {repr}");
            return Err(PyTypeError::new_err(message));
        }
        let new = (!handler.is_none()).then(|| handler.clone().unbind());
        drop(self.parts(handler.py()).exceptions.handler.replace(new));
        Ok(())
    }

    #[getter]
    fn _exception_handler(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.get_exception_handler(py)
    }

    #[setter(_exception_handler)]
    fn change_exception_handler(&self, handler: &Bound<'_, PyAny>) -> PyResult<()> {
        self.set_exception_handler(handler)
    }

    /// Log an exception context: its message and its other entries, with the traceback.
    fn default_exception_handler(&self, context: &Bound<'_, PyDict>) -> PyResult<()> {
        let py = context.py();
        if !context.contains("source_traceback")?
            && let Some(traceback) = self.current_source_traceback(py)
        {
            context.set_item("handle_traceback", traceback)?;
        }
        let message = context.get_item("message")?.filter(|text| text.is_truthy().unwrap_or(true));
        let mut lines = vec![match message {
            Some(message) => message.str()?.to_string(),
            None => "Unhandled exception in event loop".to_owned(),
        }];
        let keys = context.keys();
        keys.sort()?;
        for key in keys {
            let key = key.str()?.to_string();
            if key != "message" && key != "exception" {
                let value = context.get_item(&key)?;
                lines.extend(value.map(|value| describe(&key, &value)).transpose()?);
            }
        }
        let keywords = PyDict::new(py);
        keywords.set_item("exc_info", exception_info(context)?)?;
        imports::logger(py)?.call_method("error", (lines.join("\n"),), Some(&keywords))?;
        Ok(())
    }

    /// Call the exception handler with a context: a dict with 'message' and, where they apply,
    /// 'exception', 'future', 'task', 'handle', 'protocol', 'transport', 'socket', 'asyncgen'.
    fn call_exception_handler(slf: &Bound<'_, Self>, context: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = slf.py();
        slf.get().tell(py, |narrator| narrator.tell_unhandled(context));
        Self::report_exception(slf, context);
        let Some(handler) = slf.get().get_exception_handler(py) else {
            let outcome = Self::handle_by_default(slf, context);
            return log_if_failed(py, outcome, "Exception in default exception handler");
        };
        match call_handler(slf, handler.bind(py), context) {
            Ok(()) => Ok(()),
            Err(error) if errors::ends_run(py, &error) => Err(error),
            Err(error) => {
                let report = PyDict::new(py);
                report.set_item("message", "Unhandled error in exception handler")?;
                report.set_item("exception", errors::exception(py, &error))?;
                report.set_item("context", context)?;
                let outcome = Self::handle_by_default(slf, &report);
                let message = "Exception in default exception handler while handling an \
                               unexpected error in custom exception handler";
                log_if_failed(py, outcome, message)
            }
        }
    }
}

/// Calls the user's handler, in the context of the task, future or handle that the report is about.
fn call_handler(
    event_loop: &Bound<'_, EventLoop>,
    handler: &Bound<'_, PyAny>,
    report: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let py = event_loop.py();
    for key in ["task", "future", "handle"] {
        let thing = report.call_method1(intern!(py, "get"), (key,))?;
        if thing.is_none() {
            continue;
        }
        if let Some(get_context) = thing.getattr_opt(intern!(py, "get_context"))? {
            let context = get_context.call0()?;
            if context.hasattr(intern!(py, "run"))? {
                context.call_method1(intern!(py, "run"), (handler, event_loop, report))?;
                return Ok(());
            }
        }
        break;
    }
    handler.call1((event_loop, report)).map(drop)
}

fn log_if_failed(py: Python<'_>, outcome: PyResult<()>, message: &str) -> PyResult<()> {
    match outcome {
        Err(error) if !errors::ends_run(py, &error) => {
            let keywords = PyDict::new(py);
            keywords.set_item("exc_info", true)?;
            ffi::while_handling(py, &error, || {
                imports::logger(py)?.call_method("error", (message,), Some(&keywords)).map(drop)
            })
        }
        outcome => outcome,
    }
}

/// What `logging` takes as `exc_info`.
fn exception_info<'py>(context: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    let py = context.py();
    match context.get_item("exception")?.filter(|exception| !exception.is_none()) {
        Some(exception) => {
            let traceback = exception.getattr("__traceback__")?;
            Ok(PyTuple::new(py, [exception.get_type().into_any(), exception, traceback])?
                .into_any())
        }
        None => Ok(false.into_pyobject(py)?.to_owned().into_any()),
    }
}

/// One line, or one stack, of a report.
fn describe(key: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    let created = match key {
        "source_traceback" => "Object",
        "handle_traceback" => "Handle",
        _ => return Ok(format!("{key}: {}", value.repr()?)),
    };
    let lines: Vec<String> = imports::format_list(value.py())?.call1((value,))?.extract()?;
    let stack = lines.concat();
    Ok(format!("{key}: {created} created at (most recent call last):\n{}", stack.trim_end()))
}
