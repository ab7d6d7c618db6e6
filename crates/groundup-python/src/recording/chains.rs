//! Chains of awaits: who awaits whom, from what a task runs to the innermost coroutine that waits.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use groundup::recorder::{Name, Verb, pair};
use pyo3::intern;
use pyo3::prelude::*;

use super::narrator::Narrator;
use super::waits::Kind;
use crate::ffi;
use crate::native_coroutine::{Goal, NativeCoroutine};
use crate::streams::StreamCoroutine;

/// How many chains are known at most.
const MOST: usize = 1 << 16;

/// How many coroutines of a chain are told at most.
const DEEPEST: usize = 64;

/// The chains that were told, by who awaits first and the rest.
#[derive(Default)]
pub struct Chains {
    known: RefCell<HashMap<(Name, u32), u32>>,
    last: Cell<u32>,
}

impl Chains {
    /// They are to be told again before they are referred to.
    pub fn forget(&self) {
        self.known.borrow_mut().clear();
    }
}

/// A coroutine that awaits, and where it stands.
pub struct Awaiting<'py> {
    pub name: Name,
    /// What is waited for in it, where that is known.
    pub reason: Option<Reason<'py>>,
}

/// What is waited for in a coroutine.
pub enum Reason<'py> {
    /// What a function of asyncio's waits for, and its frame.
    Kind(Kind, Option<Bound<'py, PyAny>>),
    /// What a coroutine of this module's says.
    Goal(Goal),
}

impl Narrator {
    /// Who awaits, from a coroutine on to the innermost.
    ///
    /// # Errors
    ///
    /// What asking them raises.
    pub(super) fn awaiting<'py>(
        &self,
        coroutine: &Bound<'py, PyAny>,
    ) -> PyResult<Vec<Awaiting<'py>>> {
        let mut all = Vec::new();
        let mut next = Some(coroutine.clone());
        while let Some(object) = next.take().filter(|_| all.len() < DEEPEST) {
            let Some(awaiting) = self.stand(&object)? else { break };
            all.push(awaiting);
            next = awaited(&object);
        }
        Ok(all)
    }

    /// Where a coroutine stands; `None` if the object is none.
    fn stand<'py>(&self, object: &Bound<'py, PyAny>) -> PyResult<Option<Awaiting<'py>>> {
        let py = object.py();
        let [code, frame] = if ffi::is_generator(object) {
            [intern!(py, "gi_code"), intern!(py, "gi_frame")]
        } else {
            [intern!(py, "cr_code"), intern!(py, "cr_frame")]
        };
        if let Some(code) = ffi::attribute(object, code) {
            let code = self.code(&code)?;
            let frame = ffi::attribute(object, frame);
            let line = frame.as_ref().map_or(0, ffi::current_line);
            let line = if line == 0 { code.first_line } else { line };
            let reason = code.kind.map(|kind| Reason::Kind(kind, frame));
            return Ok(Some(Awaiting { name: self.name_of_line(&code, line), reason }));
        }
        let Some(native) = Native::of(object) else { return Ok(None) };
        let name = self.name_of(&object.getattr(intern!(py, "__qualname__"))?)?;
        Ok(Some(Awaiting { name, reason: native.goal(py).map(Reason::Goal) }))
    }

    /// The number of a chain.
    pub(super) fn chain(&self, awaiting: &[Awaiting<'_>]) -> u32 {
        awaiting.iter().rev().fold(0, |rest, next| self.link(next.name, rest))
    }

    fn link(&self, name: Name, rest: u32) -> u32 {
        let mut known = self.chains.known.borrow_mut();
        if let Some(&chain) = known.get(&(name, rest)) {
            return chain;
        }
        if known.len() >= MOST {
            return rest;
        }
        let chain = self.chains.last.get().wrapping_add(1);
        self.chains.last.set(chain);
        known.insert((name, rest), chain);
        self.flight.note(Verb::Link, u64::from(chain), pair(name, rest));
        chain
    }
}

/// What a coroutine awaits, if that is said.
fn awaited<'py>(coroutine: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let py = coroutine.py();
    if let Some(native) = Native::of(coroutine) {
        return native.awaited(py).map(|awaited| awaited.into_bound(py));
    }
    let attribute = if ffi::is_generator(coroutine) {
        intern!(py, "gi_yieldfrom")
    } else {
        intern!(py, "cr_await")
    };
    ffi::attribute(coroutine, attribute).filter(|awaited| !awaited.is_none())
}

/// One of the coroutines that this module's methods give.
enum Native<'a> {
    Coroutine(&'a NativeCoroutine),
    OfStream(&'a StreamCoroutine),
}

impl<'a> Native<'a> {
    fn of(object: &'a Bound<'_, PyAny>) -> Option<Self> {
        if let Ok(coroutine) = object.cast_exact::<NativeCoroutine>() {
            return Some(Self::Coroutine(coroutine.get()));
        }
        object.cast_exact::<StreamCoroutine>().ok().map(|it| Self::OfStream(it.get()))
    }

    fn goal(&self, py: Python<'_>) -> Option<Goal> {
        match self {
            Self::Coroutine(coroutine) => coroutine.goal(py),
            Self::OfStream(coroutine) => coroutine.goal(py),
        }
    }

    fn awaited(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        match self {
            Self::Coroutine(coroutine) => coroutine.awaited(py),
            Self::OfStream(coroutine) => coroutine.awaited(py),
        }
    }
}
