//! Which tasks there are: what `asyncio.all_tasks` answers.
//!
//! From Python 3.14 on, tasks are links of a list that the interpreter keeps. Before, there is a
//! set of weak references, where putting a task in and out takes longer than its step. So tasks
//! stand in a list of this module until somebody looks at that set (`all_tasks.py`): then they are
//! put into it.

#[cfg(not(Py_3_14))]
pub use by_number::{forget, register, register_pending};
#[cfg(Py_3_14)]
pub use by_place::{forget, forget_awaited, leave, note_awaited, register, register_pending};

#[cfg(not(Py_3_14))]
mod by_number {
    use std::cell::{Cell, RefCell};

    use pyo3::prelude::*;
    use slab::Slab;

    use super::super::classes::{Task, Unowned};
    use crate::gil::GilBound;

    /// Tasks that the set does not know yet. Each takes itself out before it goes.
    static PENDING: GilBound<RefCell<Slab<Unowned>>> = GilBound::new(RefCell::new(Slab::new()));

    /// Makes a task one of those that `all_tasks` finds.
    ///
    /// # Errors
    ///
    /// None.
    #[inline]
    pub fn register(task: &Bound<'_, Task>) -> PyResult<()> {
        let mut pending = PENDING.get(task.py()).borrow_mut();
        let place = pending.insert(Unowned::of(task));
        Task::own_fields(task).number.set(u32::try_from(place).expect("few enough tasks") + 1);
        Ok(())
    }

    /// Takes a task out that is about to go.
    #[inline]
    pub fn forget(number: &Cell<u32>) {
        if let Some(place) = number.take().checked_sub(1) {
            PENDING.visit().borrow_mut().remove(place as usize);
        }
    }

    /// The tasks that the set does not know yet; from then on it is to know them.
    pub fn register_pending(py: Python<'_>) -> Vec<Py<PyAny>> {
        let mut pending = PENDING.get(py).borrow_mut();
        let tasks = pending.drain().map(|task| task.own(py)).collect::<Vec<_>>();
        for task in tasks.iter().filter_map(|task| Task::of(task.bind(py))) {
            Task::own_fields(task).number.set(0);
        }
        tasks
    }
}

#[cfg(Py_3_14)]
mod by_place {
    use std::cell::Cell;

    use pyo3::prelude::*;

    use super::super::classes::{Future, Task};
    use super::super::layout::peek;
    use crate::{ffi, imports};

    /// Makes a task one of those that `all_tasks` finds.
    ///
    /// # Errors
    ///
    /// What the interpreter raises.
    #[inline]
    pub fn register(task: &Bound<'_, Task>) -> PyResult<()> {
        ffi::call(imports::register_task(task.py())?, [task.as_any()]).map(drop)
    }

    /// Takes a task out that is done.
    ///
    /// # Errors
    ///
    /// What the interpreter raises.
    #[inline]
    pub fn leave(future: &Bound<'_, Future>) -> PyResult<()> {
        match Task::of(future.as_any()) {
            Some(task) if Task::fields(task).place[0].get().is_some() => {
                ffi::call(imports::unregister_task(task.py())?, [task.as_any()]).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// The base takes tasks out that go.
    pub fn forget(_number: &Cell<u32>) {}

    /// The list knows all tasks.
    pub fn register_pending(_py: Python<'_>) -> Vec<Py<PyAny>> {
        Vec::new()
    }

    /// Notes in a future which task awaits it: for call graphs.
    ///
    /// # Errors
    ///
    /// What the interpreter raises.
    #[inline]
    pub fn note_awaited(future: &Bound<'_, Future>, task: &Bound<'_, Task>) -> PyResult<()> {
        let (py, awaited_by) = (task.py(), &Future::fields(future).awaited_by);
        if peek(py, awaited_by).is_none() {
            awaited_by.set(Some(task.as_any().clone().unbind()));
            return Ok(());
        }
        ffi::call(imports::add_to_awaited_by(py)?, [future.as_any(), task.as_any()]).map(drop)
    }

    /// Notes that a task does not await a future any more.
    ///
    /// # Errors
    ///
    /// What the interpreter raises.
    #[inline]
    pub fn forget_awaited(future: &Bound<'_, PyAny>, task: &Bound<'_, Task>) -> PyResult<()> {
        let py = task.py();
        if let Some(own) = Future::of(future) {
            let fields = Future::fields(own);
            if !fields.awaited_by_set.get()
                && peek(py, &fields.awaited_by).is_some_and(|it| it.is(task))
            {
                drop(fields.awaited_by.take());
                return Ok(());
            }
        }
        ffi::call(imports::discard_from_awaited_by(py)?, [future, task.as_any()]).map(drop)
    }
}
