//! Stacks of steps that take too long, taken while they do.

use std::cell::Cell;

use groundup::clock::{Clock, Monotonic, Timestamp};
use groundup::recorder::{LONGEST_NAME, Verb, pair};
use pyo3::intern;
use pyo3::prelude::*;

use super::narrator::Narrator;
use crate::ffi;

/// What is told when nobody could look.
const LOCK_HELD: &str = "(no stack: the step held the interpreter lock to its end)";

/// What is known of late steps.
#[derive(Default)]
pub struct LateSteps {
    /// When the step began whose stack was told last.
    told: Cell<Option<Timestamp>>,
    /// How long the last one took that has ended.
    pub ended: Cell<Option<std::time::Duration>>,
}

impl Narrator {
    /// Does what is to be seen by the watchdog if it takes long.
    #[inline]
    pub fn watch<T>(&self, act: impl FnOnce() -> T) -> T {
        let outer = self.pulse.begin(self.flight.latest());
        let outcome = act();
        if let Some(began) = self.pulse.end(outer) {
            self.end_late(began);
        }
        outcome
    }

    #[cold]
    fn end_late(&self, began: Timestamp) {
        if self.late.told.get() != Some(began) {
            self.note_stack(LOCK_HELD);
        }
        self.late.ended.set(Some(Monotonic.now().since(began)));
    }

    /// Says where the step is that began then: which lines its thread runs, the innermost last.
    ///
    /// # Errors
    ///
    /// What asking the frames raises.
    pub fn tell_stack(&self, began: Timestamp, frame: Bound<'_, PyAny>) -> PyResult<()> {
        let (mut lines, mut length) = (Vec::new(), 0);
        let mut next = Some(frame);
        while let Some(frame) = next {
            let line = self.line_of(&frame)?;
            length += line.len() + 1;
            if length > LONGEST_NAME {
                break;
            }
            lines.push(line);
            next = Some(frame.getattr(intern!(frame.py(), "f_back"))?).filter(|it| !it.is_none());
        }
        lines.reverse();
        self.note_stack(&lines.join("\n"));
        self.late.told.set(Some(began));
        Ok(())
    }

    /// What a frame runs: `fetch (/home/ann/app.py:12)`.
    fn line_of(&self, frame: &Bound<'_, PyAny>) -> PyResult<String> {
        let code = self.code(&frame.getattr(intern!(frame.py(), "f_code"))?)?;
        Ok(format!("{} ({}:{})", code.function, code.file, ffi::current_line(frame)))
    }

    fn note_stack(&self, text: &str) {
        self.flight.note(Verb::Stack, 0, pair(self.flight.name(text), 0));
    }
}
