//! The one who tells a flight recorder about the objects of Python's that a loop works with.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use groundup::clock::Timestamp;
use groundup::recorder::{FlightRecorder, Name, Verb, pair};
use memmap2::MmapMut;
use pyo3::intern;
use pyo3::prelude::*;

use super::chains::Chains;
use super::codes::Codes;
use super::connections::Connections;
use super::jobs::Jobs;
use super::pulse::Pulse;
use super::stacks::LateSteps;
use super::things::Things;
use crate::event_loop::EventLoop;
use crate::imports;

/// The recorder of a loop; its memory is a file's.
pub type Flight = FlightRecorder<MmapMut>;

/// Tells a recorder about the objects of one loop.
///
/// What asking an object raises is not the program's affair: then something is left out.
pub struct Narrator {
    pub flight: std::rc::Rc<Flight>,
    pub(super) codes: Codes,
    pub(super) chains: Chains,
    pub(super) jobs: Jobs,
    /// Since when a step goes on.
    pub(super) pulse: Arc<Pulse>,
    pub late: LateSteps,
    pub(super) connections: Connections,
    pub(super) things: Things,
    /// When it was last told what the thread has used.
    usage: Cell<Timestamp>,
    /// What is true of the recording as a whole.
    facts: RefCell<Vec<(String, String)>>,
}

/// How often it is told what the thread has used, in nanoseconds.
const USAGE_PERIOD: i64 = 5_000_000;

/// Which usage is asked for: this thread's, as Linux numbers it.
const RUSAGE_THREAD: i32 = 1;

impl Narrator {
    /// One who has said nothing yet.
    ///
    /// # Errors
    ///
    /// What importing asyncio raises.
    pub fn new(py: Python<'_>, flight: Flight) -> PyResult<Self> {
        Ok(Self {
            flight: std::rc::Rc::new(flight),
            codes: Codes::new(py)?,
            chains: Chains::default(),
            jobs: Jobs::default(),
            pulse: Arc::default(),
            late: LateSteps::default(),
            connections: Connections::default(),
            things: Things::default(),
            usage: Cell::new(Timestamp(i64::MIN)),
            facts: RefCell::default(),
        })
    }

    /// Says what is true of the recording as a whole, and tells of the connections and the tasks that live
    /// when it begins.
    pub fn begin(&self, event_loop: &Bound<'_, EventLoop>, facts: Vec<(String, String)>) {
        self.facts.replace(facts);
        self.tell_facts();
        for (descriptor, connection) in event_loop.get().connections(event_loop.py()) {
            self.open(descriptor, connection);
        }
        self.tell_of_living(event_loop.as_any());
    }

    fn tell_facts(&self) {
        for (fact, value) in &*self.facts.borrow() {
            let detail = pair(self.flight.name(fact), self.flight.name(value));
            self.flight.note(Verb::Fact, 0, detail);
        }
    }

    /// The number of a text of Python's.
    pub(super) fn name_of(&self, text: &Bound<'_, PyAny>) -> PyResult<Name> {
        Ok(self.flight.name(&text.str()?.to_string_lossy()))
    }

    /// Says something that the program wants to be seen.
    pub fn mark(&self, text: &str) {
        self.flight.note(Verb::Mark, 0, pair(self.flight.name(text), 0));
    }

    /// At the end of a turn: says what has to be said now and then.
    pub fn end_turn(&self, event_loop: &Bound<'_, PyAny>) {
        let now = self.flight.latest();
        if now.0.saturating_sub(self.usage.get().0) >= USAGE_PERIOD {
            self.usage.set(now);
            let _ = self.tell_usage(event_loop.py());
        }
        if self.flight.is_keyframe_due() {
            self.codes.forget_names();
            self.chains.forget();
            self.flight.keyframe(|_| {
                self.tell_facts();
                self.tell_of_connections();
                self.tell_of_living(event_loop);
            });
        }
    }

    /// Says how long the thread has been in the kernel, and how long elsewhere.
    fn tell_usage(&self, py: Python<'_>) -> PyResult<()> {
        let usage = imports::getrusage(py)?.call1((RUSAGE_THREAD,))?;
        let nanoseconds = |attribute| -> PyResult<u64> {
            Ok((usage.getattr(attribute)?.extract::<f64>()? * 1e9) as u64)
        };
        let in_kernel = nanoseconds(intern!(py, "ru_stime"))?;
        self.flight.note(Verb::Usage, in_kernel, nanoseconds(intern!(py, "ru_utime"))?);
        Ok(())
    }
}
