//! Which parts of a turn a program has replaced: by a subclass, or by setting attributes of the loop.
//!
//! It is looked up when that can change, at the start of a run and when an attribute is set, so that
//! a turn of which nothing was replaced asks for one flag.

use std::cell::Cell;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use super::EventLoop;
use crate::ffi;

/// What was replaced.
#[derive(Default)]
pub struct Replaced {
    /// `time`.
    pub time: Cell<bool>,
    /// `call_at`.
    pub call_at: Cell<bool>,
    /// `_run_once`.
    pub run_once: Cell<bool>,
    /// Any of the parts that a turn is made of, or the turn.
    pub turn: Cell<bool>,
}

/// The names that a loop looks after.
const NAMES: [&str; 5] = ["time", "call_at", "_run_once", "_process_events", "_selector"];

impl Replaced {
    /// Looks up what a class replaces, and further what `is_set` says that an instance does.
    pub fn look_up(
        &self,
        class: &Bound<'_, PyType>,
        is_set: impl Fn(&str) -> PyResult<bool>,
    ) -> PyResult<()> {
        let own = class.py().get_type::<EventLoop>();
        let is_replaced = |name: &str| -> PyResult<bool> {
            Ok(is_set(name)? || !class.getattr(name)?.is(&own.getattr(name)?))
        };
        self.time.set(is_replaced("time")?);
        self.call_at.set(is_replaced("call_at")?);
        self.run_once.set(is_replaced("_run_once")?);
        let polls = is_replaced("_process_events")? || is_set("_selector")?;
        self.turn.set(polls || self.time.get() || self.run_once.get());
        Ok(())
    }
}

impl EventLoop {
    /// Looks up what is replaced now.
    pub fn note_replaced(event_loop: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (event_loop.py(), event_loop.get());
        let attributes = event_loop.getattr_opt(intern!(py, "__dict__"))?;
        let selects_otherwise = this.selects_otherwise(py)?;
        this.parts(py).replaced.look_up(&event_loop.get_type(), |name| match &attributes {
            _ if name == "_selector" => Ok(selects_otherwise),
            Some(attributes) => attributes.contains(name),
            None => Ok(false),
        })
    }

    fn note_attribute(event_loop: &Bound<'_, Self>, name: &Bound<'_, PyString>) -> PyResult<()> {
        if NAMES.iter().any(|own| name == own) { Self::note_replaced(event_loop) } else { Ok(()) }
    }
}

#[pymethods]
impl EventLoop {
    fn __setattr__(
        slf: &Bound<'_, Self>,
        name: &Bound<'_, PyString>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        ffi::set_attribute(slf, name, Some(value))?;
        Self::note_attribute(slf, name)
    }

    fn __delattr__(slf: &Bound<'_, Self>, name: &Bound<'_, PyString>) -> PyResult<()> {
        ffi::set_attribute(slf, name, None)?;
        Self::note_attribute(slf, name)
    }
}
