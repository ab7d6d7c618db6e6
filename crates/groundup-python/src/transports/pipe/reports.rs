//! What an end of a pipe says of itself: to the exception handler, in the log, in words, as a warning.

use groundup::poller::Readiness;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::end::PipeEnd;
use crate::event_loop::EventLoop;
use crate::warnings::warn_unclosed;
use crate::{errors, imports};

impl PipeEnd {
    /// Reports an exception that ends the connection; with `quiet`, only in the log of debug mode.
    pub fn report(
        &self,
        transport: &Bound<'_, PyAny>,
        error: &PyErr,
        message: &str,
        quiet: bool,
    ) -> PyResult<()> {
        let py = transport.py();
        let details = PyDict::new(py);
        if quiet {
            if self.event_loop.get().is_debug(py) {
                details.set_item("exc_info", errors::exception(py, error))?;
                let args = ("%r: %s", transport, message);
                imports::logger(py)?.call_method("debug", args, Some(&details))?;
            }
            return Ok(());
        }
        details.set_item("message", message)?;
        details.set_item("exception", errors::exception(py, error))?;
        details.set_item("transport", transport)?;
        details.set_item("protocol", self.protocol(py))?;
        EventLoop::report(self.event_loop.bind(py), &details)
    }

    /// Logs something about the transport in debug mode.
    pub fn log(&self, transport: &Bound<'_, PyAny>, level: &str, format: &str) -> PyResult<()> {
        let py = transport.py();
        if self.event_loop.get().is_debug(py) {
            imports::logger(py)?.call_method1(level, (format, transport))?;
        }
        Ok(())
    }

    /// The transport in words: its class, its state, and what its loop watches for.
    pub fn describe(&self, py: Python<'_>, class: &str, direction: Readiness) -> String {
        let event_loop = self.event_loop.get();
        let polls = !(event_loop.core(py).interest(self.descriptor) & direction).is_none();
        let is_loop_open = event_loop.check_open(py).is_ok();
        let is_open = self.open_file(py).is_some();
        if !is_open {
            return format!("{class} closed fd={}", self.descriptor);
        }
        let closing = if self.is_closing(py) { " closing" } else { "" };
        let watched = match (polls, is_loop_open) {
            (_, false) => "open",
            (true, true) => "polling",
            (false, true) => "idle",
        };
        format!("{class}{closing} fd={} {watched}", self.descriptor)
    }

    /// Closes the file of a transport that was dropped without being closed, and says so.
    pub fn abandon(&self, py: Python<'_>, description: &str) {
        let Some(file) = self.take_open_file(py) else { return };
        warn_unclosed(py, &format!("<{description}>"), || self.close(file.bind(py)));
    }
}
