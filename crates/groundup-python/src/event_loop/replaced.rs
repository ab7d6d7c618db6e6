//! Which parts of a turn a program has replaced: by a subclass, or by setting attributes of the loop.
//!
//! It is looked up when that can change, at the start of a run and when an attribute is set, so that
//! a turn of which nothing was replaced asks for one flag.

use std::cell::Cell;

use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use super::EventLoop;
use crate::{ffi, own_methods};

/// What was replaced.
#[derive(Default)]
pub struct Replaced {
    /// Which of [`NAMES`] are set as attributes of the loop itself.
    set: Cell<[bool; NAMES.len()]>,
    /// `time`.
    pub time: Cell<bool>,
    /// `call_at`.
    pub call_at: Cell<bool>,
    /// `call_soon`.
    pub call_soon: Cell<bool>,
    /// `_run_once`.
    pub run_once: Cell<bool>,
    /// Any of the parts that a turn is made of, or the turn.
    pub turn: Cell<bool>,
}

/// The methods that a loop looks after.
const NAMES: [&str; 5] = ["time", "call_at", "call_soon", "_run_once", "_process_events"];

impl Replaced {
    /// Looks up what a class replaces, and what is replaced in the loop itself.
    pub fn look_up(&self, class: &Bound<'_, PyType>, selects_otherwise: bool) -> PyResult<()> {
        let own = class.py().get_type::<EventLoop>();
        let mut replaced = self.set.get();
        for (replaced, name) in replaced.iter_mut().zip(NAMES) {
            *replaced |= !own_methods::are_same(&class.getattr(name)?, &own.getattr(name)?);
        }
        let [time, call_at, call_soon, run_once, process_events] = replaced;
        self.time.set(time);
        self.call_at.set(call_at);
        self.call_soon.set(call_soon);
        self.run_once.set(run_once);
        self.turn.set(selects_otherwise || process_events || time || run_once);
        Ok(())
    }

    fn note(&self, place: usize, is_set: bool) {
        let mut set = self.set.get();
        set[place] = is_set;
        self.set.set(set);
    }
}

impl EventLoop {
    /// Looks up what is replaced now.
    ///
    /// It does not ask for the loop's `__dict__`: once that is made, each attribute takes longer.
    pub fn note_replaced(event_loop: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (event_loop.py(), event_loop.get());
        let selects_otherwise = this.selects_otherwise(py)?;
        this.parts(py).replaced.look_up(&event_loop.get_type(), selects_otherwise)
    }

    fn note_attribute(
        event_loop: &Bound<'_, Self>,
        name: &Bound<'_, PyString>,
        is_set: bool,
    ) -> PyResult<()> {
        if let Some(place) = NAMES.iter().position(|own| name == own) {
            event_loop.get().parts(event_loop.py()).replaced.note(place, is_set);
        } else if name != "_selector" {
            return Ok(());
        }
        Self::note_replaced(event_loop)
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
        Self::note_attribute(slf, name, true)
    }

    fn __delattr__(slf: &Bound<'_, Self>, name: &Bound<'_, PyString>) -> PyResult<()> {
        ffi::set_attribute(slf, name, None)?;
        Self::note_attribute(slf, name, false)
    }
}
