//! The classes, made of those that `_asyncio` has: how their objects are made, and told from others, and how
//! one gets at their fields.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};

use super::future_iter;
use super::layout::{FutureObject, OwnTaskObject, TaskObject};
use super::slots::{derive_future, derive_task};
use super::spare_objects::{FUTURES, SpareObjects, TASKS};
use super::verification;

/// An object of the class `Future` of this module, or of one that inherits from it; or a [`Task`].
pub struct Future(());

/// An object of exactly the class `Task` of this module.
pub struct Task(());

static FUTURE: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(ptr::null_mut());
static TASK: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(ptr::null_mut());

/// The classes of `_asyncio`, and those methods of theirs that are called on objects of this module.
pub struct Bases {
    pub future: Py<PyType>,
    pub task: Py<PyType>,
    pub result: Py<PyAny>,
    pub exception: Py<PyAny>,
    pub set_exception: Py<PyAny>,
    pub cancel: Py<PyAny>,
    pub cancel_task: Py<PyAny>,
    pub callbacks: Py<PyAny>,
    pub add_done_callback: Py<PyAny>,
}

static BASES: PyOnceLock<Bases> = PyOnceLock::new();

/// The classes of `_asyncio`.
///
/// # Panics
///
/// Before [`prepare`].
pub fn bases(py: Python<'_>) -> &Bases {
    BASES.get(py).expect("the classes were prepared")
}

/// Makes the classes, if this Python's tasks and futures are as `layout.rs` says; once.
///
/// # Errors
///
/// What making a class raises.
pub fn prepare(py: Python<'_>) -> PyResult<Option<(Bound<'_, PyType>, Bound<'_, PyType>)>> {
    let Ok(module) = py.import("_asyncio") else { return Ok(None) };
    let future = module.getattr("Future")?.cast_into::<PyType>()?;
    let task = module.getattr("Task")?.cast_into::<PyType>()?;
    let bases = Bases {
        result: future.getattr("result")?.unbind(),
        exception: future.getattr("exception")?.unbind(),
        set_exception: future.getattr("set_exception")?.unbind(),
        add_done_callback: future.getattr("add_done_callback")?.unbind(),
        cancel: future.getattr("cancel")?.unbind(),
        cancel_task: task.getattr("cancel")?.unbind(),
        callbacks: future.getattr("_callbacks")?.getattr("__get__")?.unbind(),
        future: future.clone().unbind(),
        task: task.clone().unbind(),
    };
    BASES.set(py, bases).ok();
    if !verification::holds(&future, &task)? {
        return Ok(None);
    }
    future_iter::prepare(py)?;
    let own_future = derive_future(&future)?;
    let own_task = derive_task(&task, &own_future)?;
    FUTURE.store(own_future.clone().into_ptr().cast(), Ordering::Relaxed);
    TASK.store(own_task.clone().into_ptr().cast(), Ordering::Relaxed);
    Ok(Some((own_future, own_task)))
}

impl Future {
    /// The object as a future of this module, if it is exactly one, or a task.
    #[inline]
    pub fn of<'a, 'py>(object: &'a Bound<'py, PyAny>) -> Option<&'a Bound<'py, Self>> {
        let class = object.get_type_ptr();
        if class != FUTURE.load(Ordering::Relaxed) && class != TASK.load(Ordering::Relaxed) {
            return None;
        }
        // SAFETY: its class is one of this module's.
        Some(unsafe { object.cast_unchecked() })
    }

    /// The class, which lives for ever; null when there is none.
    #[inline]
    pub fn class() -> *mut ffi::PyTypeObject {
        FUTURE.load(Ordering::Relaxed)
    }

    /// A new future, without a loop yet; `None` when there is no such class.
    #[inline]
    pub fn allocate(py: Python<'_>) -> PyResult<Option<Bound<'_, Self>>> {
        let Some(object) = allocate(py, &FUTURE, &FUTURES)? else { return Ok(None) };
        // SAFETY: it has just been made an object of that class.
        Ok(Some(unsafe { object.cast_into_unchecked() }))
    }

    /// Its fields.
    #[inline]
    pub fn fields<'a>(future: &'a Bound<'_, Self>) -> &'a FutureObject {
        // SAFETY: `Bound<Future>` is made only of objects of the module's classes, which inherit from
        // those that `verification::holds` was true of. All fields are cells, and the lock is held.
        unsafe { &*future.as_ptr().cast() }
    }
}

impl Task {
    /// The object as a task of this module, if it is exactly one.
    #[inline]
    pub fn of<'a, 'py>(object: &'a Bound<'py, PyAny>) -> Option<&'a Bound<'py, Self>> {
        if object.get_type_ptr() != TASK.load(Ordering::Relaxed) {
            return None;
        }
        // SAFETY: its class is the one of this module.
        Some(unsafe { object.cast_unchecked() })
    }

    /// A new task, not initialised yet; `None` when there is no such class.
    #[inline]
    pub fn allocate(py: Python<'_>) -> PyResult<Option<Bound<'_, Self>>> {
        let Some(object) = allocate(py, &TASK, &TASKS)? else { return Ok(None) };
        // SAFETY: it has just been made an object of that class.
        Ok(Some(unsafe { object.cast_into_unchecked() }))
    }

    /// Its fields.
    #[inline]
    pub fn fields<'a>(task: &'a Bound<'_, Self>) -> &'a TaskObject {
        &Self::own_fields(task).task
    }

    /// Its fields and its number.
    #[inline]
    pub fn own_fields<'a>(task: &'a Bound<'_, Self>) -> &'a OwnTaskObject {
        // SAFETY: as for `Future::fields`; objects of the class are as large as it says.
        unsafe { &*task.as_ptr().cast() }
    }

    /// The future that a task is.
    #[inline]
    pub fn as_future<'a, 'py>(task: &'a Bound<'py, Self>) -> &'a Bound<'py, Future> {
        // SAFETY: `Bound<Future>` may be a task.
        unsafe { task.as_any().cast_unchecked() }
    }

    /// The class, which lives for ever; null when there is none.
    #[inline]
    pub fn class() -> *mut ffi::PyTypeObject {
        TASK.load(Ordering::Relaxed)
    }

    /// Initialises a task as the base does.
    ///
    /// # Errors
    ///
    /// What it raises.
    pub fn init_by_base(
        task: &Bound<'_, PyAny>,
        args: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let py = task.py();
        let keywords = keywords.map_or(ptr::null_mut(), |keywords| keywords.as_ptr());
        let base = bases(py).task.as_ptr().cast::<ffi::PyTypeObject>();
        // SAFETY: the object is a task, of a class that inherits from the base; the arguments live.
        let outcome = unsafe {
            let init = (*base).tp_init.expect("tasks can be initialised");
            init(task.as_ptr(), args.as_ptr(), keywords)
        };
        if outcome < 0 { Err(PyErr::fetch(py)) } else { Ok(()) }
    }
}

/// A task that is not kept alive by this.
#[cfg(not(Py_3_14))]
pub struct Unowned(ptr::NonNull<ffi::PyObject>);

#[cfg(not(Py_3_14))]
impl Unowned {
    /// The task, which must take this out of where it is put before it goes.
    pub fn of(task: &Bound<'_, Task>) -> Self {
        Self(ptr::NonNull::new(task.as_ptr()).expect("an object"))
    }

    /// A reference to the task.
    pub fn own(self, py: Python<'_>) -> Py<PyAny> {
        // SAFETY: `deallocate_task` takes a task out of the registry, the only place that holds
        // these, before its memory is given back; until then it can be referred to again.
        unsafe { Bound::from_borrowed_ptr(py, self.0.as_ptr()).unbind() }
    }
}

/// The fields of an object that inherits from `_asyncio.Future`.
///
/// # Panics
///
/// When it does not, or the fields are not all there.
pub fn future_fields<'a>(future: &'a Bound<'_, PyAny>) -> &'a FutureObject {
    assert_inherits(future, &bases(future.py()).future, size_of::<FutureObject>());
    // SAFETY: the object is as large as its fields are, and what lies there is whatever C has put
    // there: integers and references, which only `verification.rs` looks at before they are verified.
    unsafe { &*future.as_ptr().cast() }
}

/// The fields of an object that inherits from `_asyncio.Task`.
///
/// # Panics
///
/// When it does not, or the fields are not all there.
pub fn task_fields<'a>(task: &'a Bound<'_, PyAny>) -> &'a TaskObject {
    assert_inherits(task, &bases(task.py()).task, size_of::<TaskObject>());
    // SAFETY: as in `future_fields`.
    unsafe { &*task.as_ptr().cast() }
}

fn assert_inherits(object: &Bound<'_, PyAny>, class: &Py<PyType>, size: usize) {
    let class = class.bind(object.py());
    let is_large = class.getattr("__basicsize__").and_then(|found| found.extract::<usize>());
    assert!(
        object.is_instance(class).unwrap_or(false) && is_large.is_ok_and(|found| found >= size)
    );
}

#[inline]
fn allocate<'py>(
    py: Python<'py>,
    class: &AtomicPtr<ffi::PyTypeObject>,
    spares: &SpareObjects,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let class = class.load(Ordering::Relaxed);
    if class.is_null() {
        return Ok(None);
    }
    // SAFETY: the class is alive for ever, since a reference to it was given up to the static, and the
    // spare objects are its own; it allocates objects whose fields are zero: no references.
    unsafe {
        if let Some(object) = spares.take(py, class) {
            return Ok(Some(object));
        }
        let allocate = (*class).tp_alloc.expect("classes can allocate");
        Bound::from_owned_ptr_or_err(py, allocate(class, 0)).map(Some)
    }
}
