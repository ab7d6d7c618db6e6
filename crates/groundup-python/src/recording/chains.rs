//! Chains of awaits: who awaits whom, from what a task runs to the innermost coroutine that waits.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use groundup::recorder::{Name, Verb, pair};
use pyo3::intern;
use pyo3::prelude::*;

use super::codes::Code;
use super::narrator::Narrator;
use crate::ffi;

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
pub struct Awaiting {
    pub name: Name,
    /// Of coroutines in Python.
    pub code: Option<Rc<Code>>,
}

impl Narrator {
    /// Who awaits, from a coroutine on to the innermost.
    ///
    /// # Errors
    ///
    /// What asking them raises.
    pub(super) fn awaiting(&self, coroutine: &Bound<'_, PyAny>) -> PyResult<Vec<Awaiting>> {
        let mut all = Vec::new();
        let mut next = Some(coroutine.clone());
        while let Some(object) = next.take().filter(|_| all.len() < DEEPEST) {
            let Some(awaiting) = self.stand(&object)? else { break };
            all.push(awaiting);
            next = awaited(&object)?;
        }
        Ok(all)
    }

    /// Where a coroutine stands; `None` if the object is none.
    fn stand(&self, object: &Bound<'_, PyAny>) -> PyResult<Option<Awaiting>> {
        let py = object.py();
        let [code, frame] = if ffi::is_generator(object) {
            [intern!(py, "gi_code"), intern!(py, "gi_frame")]
        } else {
            [intern!(py, "cr_code"), intern!(py, "cr_frame")]
        };
        if let Some(code) = object.getattr_opt(code)? {
            let code = self.code(&code)?;
            let frame = object.getattr_opt(frame)?;
            let line = frame.map_or(0, |frame| ffi::current_line(&frame));
            let line = if line == 0 { code.first_line } else { line };
            return Ok(Some(Awaiting { name: self.name_of_line(&code, line), code: Some(code) }));
        }
        if !is_native_coroutine(object) {
            return Ok(None);
        }
        let name = self.name_of(&object.getattr(intern!(py, "__qualname__"))?)?;
        Ok(Some(Awaiting { name, code: None }))
    }

    /// The number of a chain.
    pub(super) fn chain(&self, awaiting: &[Awaiting]) -> u32 {
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
fn awaited<'py>(coroutine: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = coroutine.py();
    let attribute = if ffi::is_generator(coroutine) {
        intern!(py, "gi_yieldfrom")
    } else {
        intern!(py, "cr_await")
    };
    let awaited = coroutine.getattr_opt(attribute)?;
    Ok(awaited.filter(|awaited| !awaited.is_none()))
}

/// Whether an object is one of the coroutines that this module's methods give.
fn is_native_coroutine(object: &Bound<'_, PyAny>) -> bool {
    object.is_instance_of::<crate::native_coroutine::NativeCoroutine>()
        || object.is_instance_of::<crate::streams::StreamCoroutine>()
}
