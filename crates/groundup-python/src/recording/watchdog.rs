//! The watchdog: a thread that sees which steps take too long while they do, and has it told where they
//! are.
//!
//! It looks at pulses without the interpreter lock, and takes the lock only for a step that is late, once.
//! It holds its own lock meanwhile. So once [`forget`] has returned, it does not come back for a
//! recording; when there is none left, it ends, and nothing of it is there when the interpreter goes.

use std::cell::RefCell;
use std::process;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use groundup::clock::{Clock, Monotonic, Timestamp};
use pyo3::prelude::*;
use pyo3::sync::{MutexExt, PyOnceLock};

use super::pulse::Pulse;
use super::recording::Recording;
use crate::gil::GilBound;
use crate::thread_exit::Stay;
use crate::thread_signals::SignalsBlocked;
use crate::{errors, ffi};

/// What is watched: a loop, by the recording that is told.
pub struct Watched {
    pub pulse: Arc<Pulse>,
    /// How long a step may take.
    pub limit: Duration,
    pub recording: Py<Recording>,
}

struct Watchdog {
    /// The process whose thread it is: one that is forked has the memory, but not the thread.
    process: u32,
    watch: Mutex<Watch>,
    changed: Condvar,
}

#[derive(Default)]
struct Watch {
    watched: Vec<Arc<Watched>>,
    /// Whether the thread is there.
    is_kept: bool,
}

static WATCHDOG: PyOnceLock<GilBound<RefCell<Arc<Watchdog>>>> = PyOnceLock::new();

/// Has steps watched from now on.
///
/// # Errors
///
/// `OSError` when there can be no thread.
pub fn watch(py: Python<'_>, watched: Arc<Watched>) -> PyResult<()> {
    let watchdog = Watchdog::of_this_process(py);
    let mut watch = watchdog.lock_attached(py);
    if !watch.is_kept {
        let watchdog = Arc::clone(&watchdog);
        let _signals_blocked = SignalsBlocked::new();
        let thread = thread::Builder::new().name("groundup-watch".to_owned());
        thread.spawn(move || watchdog.keep()).map_err(|error| errors::os_error(&error))?;
        watch.is_kept = true;
    }
    watch.watched.push(watched);
    watchdog.changed.notify_one();
    Ok(())
}

/// They are watched no longer.
pub fn forget(py: Python<'_>, watched: &Arc<Watched>) {
    let watchdog = Watchdog::of_this_process(py);
    let mut watch = watchdog.lock_attached(py);
    let forgotten = watch.watched.extract_if(.., |it| Arc::ptr_eq(it, watched)).next();
    watchdog.changed.notify_one();
    drop(watch);
    drop(forgotten);
}

impl Watchdog {
    fn new() -> Arc<Self> {
        let (watch, changed) = (Mutex::default(), Condvar::new());
        Arc::new(Self { process: process::id(), watch, changed })
    }

    fn of_this_process(py: Python<'_>) -> Arc<Self> {
        let kept = WATCHDOG.get_or_init(py, || GilBound::new(RefCell::new(Self::new()))).get(py);
        let mut kept = kept.borrow_mut();
        if kept.process != process::id() {
            // Whether anybody holds the lock of the former, no one knows; what it watched stays there.
            std::mem::forget(std::mem::replace(&mut *kept, Self::new()));
        }
        Arc::clone(&kept)
    }

    /// The thread may wait for the interpreter lock meanwhile, so this lets go of that.
    fn lock_attached(&self, py: Python<'_>) -> MutexGuard<'_, Watch> {
        self.watch.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }

    /// What the thread does.
    fn keep(&self) {
        // Should the interpreter end under it, it stays where it is.
        let _stay = Stay::new();
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        while !watch.watched.is_empty() {
            let now = Monotonic.now();
            watch.watched.iter().for_each(|it| it.look(now));
            let sleep = watch.watched.iter().map(|it| it.time_left(now)).min().unwrap_or_default();
            let woken = self.changed.wait_timeout(watch, sleep);
            (watch, _) = woken.unwrap_or_else(PoisonError::into_inner);
        }
        watch.is_kept = false;
    }
}

impl Watched {
    /// Has it told where the step is, if it takes too long.
    fn look(&self, now: Timestamp) {
        let Some(began) = self.pulse.began_in_time() else { return };
        if now.since(began) < self.limit {
            return;
        }
        self.pulse.find_late(began);
        Python::try_attach(|py| {
            // No finalizer may end a recording here, and wait for the lock that this thread holds.
            ffi::without_collections(py, || {
                // Should a frame not be told, nobody needs to know why.
                let _ = self.recording.get().tell_stack(py, began);
            });
        });
    }

    /// How long no step of it can become late.
    fn time_left(&self, now: Timestamp) -> Duration {
        let began = self.pulse.began_in_time();
        began.map_or(self.limit, |began| self.limit.saturating_sub(now.since(began)))
    }
}
