//! What belongs to the interpreter lock: state that is touched only while the lock is held.
//!
//! Classes that Python sees must be `Send` and `Sync`. Most of the loop's state is neither: it is
//! cells and reference counts, quick because they are not atomic. The interpreter lock already lets
//! one thread at a time near it, and [`GilBound`] is where that is said once. See docs/SAFETY.md.

use pyo3::prelude::*;

/// A value that only a thread holding the interpreter lock can reach.
#[derive(Debug, Default)]
pub struct GilBound<T>(T);

// SAFETY: the value is reached only through `get`, whose token proves that the thread holds the
// lock, through `visit` during garbage collection, which holds it, and when it is dropped, which the
// interpreter does under the lock. `&T` itself is not `Send`, so no thread keeps one while detached
// and hands it on. The module says that it uses the lock, so free-threaded builds turn it on when they
// import it.
unsafe impl<T> Send for GilBound<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for GilBound<T> {}

impl<T> GilBound<T> {
    /// Puts a value under the lock.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for as long as the lock is held.
    pub fn get<'a>(&'a self, _py: Python<'a>) -> &'a T {
        &self.0
    }

    /// The value, for `__traverse__`, which has no token.
    pub fn visit(&self) -> &T {
        &self.0
    }
}
