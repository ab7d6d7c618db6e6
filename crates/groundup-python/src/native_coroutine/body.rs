//! What native coroutines are made of: `async` blocks, and operations that step by themselves.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;

use groundup::coroutine::{Coroutine, Step};
use groundup::generator::{Yielder, generator};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use super::goal::Goal;
use crate::coroutine::{PyCoroutine, Resume};

/// What a step of a native coroutine comes to.
pub type NativeStep = Step<Py<PyAny>, PyResult<Py<PyAny>>>;

/// What a native coroutine is made of.
pub enum Body {
    /// An `async` block, and what it awaits.
    Block(Pin<Box<Block>>, Awaited),
    /// Something that steps by itself.
    Operation(Box<dyn Operation>),
}

/// The body of a coroutine that is too short for a generator: it yields futures, and is done at the
/// latest when something is thrown into it.
pub trait Operation {
    /// Begins or goes on; not called again once it has returned.
    fn resume(&mut self, py: Python<'_>, input: Resume) -> NativeStep;

    /// What it awaits, if that is known and no future.
    fn awaited(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let _ = py;
        None
    }

    /// What it waits for, if it does and that is known.
    fn goal(&self) -> Option<Goal> {
        None
    }

    /// Shows the garbage collector what the operation holds.
    ///
    /// # Errors
    ///
    /// Those of `visit`.
    fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError>;
}

impl Body {
    /// The body that is the `async` block that `block` makes of its [`Awaiter`].
    pub fn of_block<F>(block: impl FnOnce(Awaiter) -> F) -> Self
    where
        F: Future<Output = PyResult<Py<PyAny>>> + 'static,
    {
        let awaited = Awaited::default();
        let block = generator(|yielder| block(Awaiter { yielder, awaited: awaited.clone() }));
        Self::Block(Box::pin(block), awaited)
    }

    /// Begins or goes on.
    pub fn resume(&mut self, py: Python<'_>, input: Resume) -> NativeStep {
        match self {
            Self::Block(block, _) => block.as_mut().resume(input),
            Self::Operation(operation) => operation.resume(py, input),
        }
    }

    /// What it waits for, if it does and that is known.
    pub fn goal(&self) -> Option<Goal> {
        match self {
            Self::Operation(operation) => operation.goal(),
            Self::Block(_, awaited) => awaited.try_borrow().ok()?.as_ref()?.1,
        }
    }

    /// What it awaits, if that is known.
    pub fn awaited(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        match self {
            Self::Operation(operation) => operation.awaited(py),
            Self::Block(_, awaited) => {
                let awaited = awaited.try_borrow().ok()?;
                awaited.as_ref().map(|(awaited, _)| awaited.object().clone_ref(py))
            }
        }
    }

    /// Shows the garbage collector what the body is known to hold.
    pub fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Operation(operation) => operation.traverse(visit),
            Self::Block(_, awaited) => match awaited.try_borrow().as_deref() {
                Ok(Some((awaited, _))) => visit.call(awaited.object()),
                _ => Ok(()),
            },
        }
    }
}

type Block = dyn Coroutine<Resume, Yield = Py<PyAny>, Return = PyResult<Py<PyAny>>>;

/// What a native coroutine awaits now, and what for if that is known. The coroutine shares it with its
/// body, of which the garbage collector can be shown nothing else.
type Awaited = Rc<RefCell<Option<(PyCoroutine, Option<Goal>)>>>;

/// What the body of a native coroutine waits through.
pub struct Awaiter {
    yielder: Yielder<Py<PyAny>, Resume>,
    awaited: Awaited,
}

impl Awaiter {
    /// Waits for a Python awaitable, as `await` does.
    ///
    /// # Errors
    ///
    /// What it raises, and what is thrown into the coroutine meanwhile and not caught by it.
    pub async fn wait(&self, awaitable: Py<PyAny>) -> PyResult<Py<PyAny>> {
        self.delegate(awaitable, None).await
    }

    /// The same where it is known what is waited for by that.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Self::wait).
    pub async fn wait_for(&self, goal: Goal, awaitable: Py<PyAny>) -> PyResult<Py<PyAny>> {
        self.delegate(awaitable, Some(goal)).await
    }

    async fn delegate(&self, awaitable: Py<PyAny>, goal: Option<Goal>) -> PyResult<Py<PyAny>> {
        let awaited = Python::attach(|py| PyCoroutine::of_awaitable(awaitable.bind(py)))?;
        drop(awaitable);
        self.awaited.replace(Some((awaited, goal)));
        self.yielder.yield_from(Delegate(self.awaited.clone())).await
    }

    /// Lets everything else that is ready run first, as `asyncio.sleep(0)` does.
    ///
    /// # Errors
    ///
    /// What is thrown into the coroutine meanwhile.
    pub async fn give_way(&self) -> PyResult<()> {
        match self.yielder.yield_(Python::attach(|py| py.None())).await {
            Resume::Throw(error) => Err(error),
            Resume::Send(_) | Resume::Next => Ok(()),
        }
    }
}

/// Resumes what is awaited, until it returns or is given up.
struct Delegate(Awaited);

impl Coroutine<Resume> for Delegate {
    type Yield = Py<PyAny>;
    type Return = PyResult<Py<PyAny>>;

    fn resume(self: Pin<&mut Self>, input: Resume) -> Step<Self::Yield, Self::Return> {
        let mut awaited = self.0.borrow_mut();
        let (awaited, _) = awaited.as_mut().expect("something is awaited");
        Pin::new(awaited).resume(input)
    }
}

impl Drop for Delegate {
    fn drop(&mut self) {
        drop(self.0.take());
    }
}
