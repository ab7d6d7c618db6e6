//! `groundup.interweave` and `groundup.run_all`: the crate's [`interweave`](core) for Python.
//!
//! Turns go round first in, first out. An exception comes out of `next()` as it was raised, once the
//! other coroutines are closed; none of what their closing raises is lost. This file must not know
//! time, descriptors or the event loop.

use std::cell::{Cell, RefCell, RefMut};
use std::iter;

use groundup::coroutine::Step;
use groundup::interweave as core;
use pyo3::PyTraverseError;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyMappingProxy};

use crate::coroutine::{PyCoroutine, Resume};
use crate::gil::GilBound;
use crate::items::coroutines_of;
use crate::thread_exit::Stay;

/// Takes turns among coroutines, generators and iterables: round robin, first in, first out.
///
/// Each turn resumes one of them, as `next()` would, until it yields, and then it goes to the end of
/// the queue. One that returns leaves the queue; the others go on, so unequal lengths are fine.
/// Nothing waits: a coroutine that needs an event loop needs `groundup.run`.
///
/// Args:
///     items: An iterable of coroutines, generators, other awaitables, iterators or iterables.
///
/// Returns:
///     An iterator over what they yield.
///
/// Raises:
///     TypeError: One of the items can be neither awaited nor iterated. The coroutines among them
///         are closed, so that none is reported as never awaited.
#[pyfunction]
#[pyo3(signature = (items, /))]
pub fn interweave(items: &Bound<'_, PyAny>) -> PyResult<Interweave> {
    let given = coroutines_of(items)?;
    Ok(Interweave {
        given: given.len(),
        results: PyDict::new(items.py()).unbind(),
        turns: GilBound::new(Turns {
            index: Cell::new(None),
            unfinished: Cell::new(given.len()),
            coroutines: RefCell::new(core::interweave(given)),
        }),
    })
}

/// Interweaves coroutines, generators and iterables to their ends.
///
/// What they yield is passed over. When one raises, the others are closed, the next in turn first,
/// and its exception comes out of here.
///
/// Args:
///     items: As for `interweave`.
///
/// Returns:
///     A list of what each returned, in the order they were given; None for what only iterates.
///
/// Raises:
///     TypeError: As for `interweave`.
#[pyfunction]
#[pyo3(signature = (items, /))]
pub fn run_all<'py>(items: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let py = items.py();
    let weave = interweave(items)?;
    while weave.__next__(py)?.is_some() {
        // An endless iterator written in C would otherwise never see Ctrl-C.
        if let Err(interrupt) = py.check_signals() {
            weave.close_rest(py, &mut *weave.enter(py)?, Some(interrupt))?;
        }
    }
    let results = weave.results.bind(py);
    let in_order = (0..weave.given).map(|index| results.as_any().get_item(index));
    PyList::new(py, in_order.collect::<PyResult<Vec<_>>>()?)
}

/// Coroutines taking turns; what `interweave()` returns: an iterator over what they yield.
///
/// `len()` of it is the number of coroutines that have not finished. When one raises, `next()` closes
/// the others, the next in turn first, raises that same exception, and is at its end. What closing
/// the others raises goes to `sys.unraisablehook`, except that a KeyboardInterrupt, SystemExit or the
/// like goes before an ordinary exception, which is then the one that is reported.
#[pyclass(frozen, weakref, generic, module = "groundup")]
#[derive(Debug)]
pub struct Interweave {
    given: usize,
    results: Py<PyDict>,
    turns: GilBound<Turns>,
}

#[derive(Debug)]
struct Turns {
    index: Cell<Option<usize>>,
    unfinished: Cell<usize>,
    /// Borrowed for as long as a coroutine runs.
    coroutines: RefCell<Coroutines>,
}

type Coroutines = core::Interweave<PyCoroutine>;

impl Interweave {
    fn enter<'a>(&'a self, py: Python<'a>) -> PyResult<RefMut<'a, Coroutines>> {
        let coroutines = self.turns.get(py).coroutines.try_borrow_mut();
        coroutines.map_err(|_| PyValueError::new_err("interweave already executing"))
    }

    /// Takes out and closes what has not finished, the next in turn first. Raises `raised` or, without
    /// it, the first exception; every other is reported.
    fn close_rest(
        &self,
        py: Python<'_>,
        coroutines: &mut Coroutines,
        mut raised: Option<PyErr>,
    ) -> PyResult<()> {
        while let Some(coroutine) = coroutines.pop() {
            self.turns.get(py).unfinished.set(coroutines.len());
            if let Err(error) = coroutine.close(py) {
                raised = Some(match raised {
                    None => error,
                    Some(first) => more_urgent(py, first, error, &coroutine),
                });
            }
        }
        raised.map_or(Ok(()), Err)
    }
}

#[pymethods]
impl Interweave {
    /// The position of the coroutine whose turn was last: it yielded what `next()` returned, or
    /// raised what `next()` raised. None before the first turn.
    #[getter]
    fn index(&self, py: Python<'_>) -> Option<usize> {
        self.turns.get(py).index.get()
    }

    /// What each coroutine that finished returned, by its position: a read-only view that fills as
    /// they finish, in that order.
    #[getter]
    fn results<'py>(&self, py: Python<'py>) -> Bound<'py, PyMappingProxy> {
        PyMappingProxy::new(py, self.results.bind(py).as_mapping())
    }

    /// Closes the coroutines that have not finished, the next in turn first.
    ///
    /// Raises:
    ///     ValueError: One of the coroutines is running.
    ///     BaseException: What closing one of them raises; the others are closed all the same.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.close_rest(py, &mut *self.enter(py)?, None)
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let turns = self.turns.get(py);
        let _stay = Stay::new();
        let mut coroutines = self.enter(py)?;
        while let Some(turn) = coroutines.turn(Resume::Next) {
            turns.index.set(Some(turn.index));
            turns.unfinished.set(coroutines.len());
            match turn.step {
                Step::Yielded(value) => return Ok(Some(value)),
                Step::Returned(Ok(result)) => self.results.bind(py).set_item(turn.index, result)?,
                Step::Returned(Err(error)) => {
                    self.close_rest(py, &mut coroutines, Some(error))?;
                }
            }
        }
        Ok(None)
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.turns.get(py).unfinished.get()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        let weave = slf.get();
        let unfinished = weave.turns.get(slf.py()).unfinished.get();
        format!(
            "<groundup.Interweave of {}, {unfinished} unfinished, at {:p}>",
            weave.given,
            slf.as_ptr()
        )
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.results)?;
        // While a coroutine runs, its frame keeps everything here alive: nothing needs a visit.
        if let Ok(coroutines) = self.turns.visit().coroutines.try_borrow() {
            coroutines.iter().try_for_each(|coroutine| visit.call(coroutine.object()))?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        let turns = self.turns.visit();
        // They are let go after the cell is free again, since that may run code that comes here.
        let coroutines = turns.coroutines.replace(core::interweave(iter::empty()));
        turns.unfinished.set(0);
        drop(coroutines);
    }
}

/// Of two exceptions the one to raise; the other is reported.
fn more_urgent(py: Python<'_>, first: PyErr, later: PyErr, closed: &PyCoroutine) -> PyErr {
    let ordinary = |error: &PyErr| error.is_instance_of::<PyException>(py);
    let (raised, reported) =
        if ordinary(&first) && !ordinary(&later) { (later, first) } else { (first, later) };
    reported.write_unraisable(py, Some(closed.object().bind(py)));
    raised
}
