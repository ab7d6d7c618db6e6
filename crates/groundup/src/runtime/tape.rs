//! Recording what happens on a thread into a file.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::rc::Rc;

use super::host;
use super::witness::Witness;
use crate::clock::Monotonic;
use crate::recorder::recording::{Head, Recording};
use crate::recorder::{FlightRecorder, RECORD_SIZE};

/// The bytes for records, unless one says otherwise: half a million of them.
const CAPACITY: usize = 16 << 20;
/// For so many bytes of records there is one of names.
const RECORDS_TO_NAMES: usize = 8;

thread_local! {
    static WITNESS: RefCell<Option<Rc<Witness>>> = const { RefCell::new(None) };
}

/// Who records this thread, if it is recorded.
pub(super) fn witness() -> Option<Rc<Witness>> {
    WITNESS.try_with(|witness| witness.borrow().clone()).ok().flatten()
}

/// Records what happens in [`block_on`](super::block_on) on this thread, until the tape is finished or
/// dropped: tasks, where they were spawned, their steps, what they wait for and who wakes them,
/// timers, polls, and bytes read and written by [`Async`](super::Async).
///
/// It may begin before `block_on` or inside it. The last 16 MiB of records are kept, half a million;
/// [`Tape::with_capacity`] is for more or fewer. `groundup view` shows the file, and
/// [`weave`](crate::weave) reads it.
///
/// # Errors
///
/// Those of creating the file, which is emptied if it is there; `ResourceBusy` when this thread is
/// recorded already.
///
/// # Examples
///
/// ```
/// use groundup::recorder::recording::Recording;
/// use groundup::{block_on, spawn, weave};
///
/// # let path = std::env::temp_dir().join(format!("record-{}.weave", std::process::id()));
/// let tape = groundup::record(&path)?;
/// block_on(async { spawn(async {}).named("child").await });
/// tape.finish()?;
///
/// let recording = Recording::read(&std::fs::read(&path)?)?;
/// let weave = weave::build(&recording);
/// assert_eq!(recording.name(weave.lanes[1].name), "child");
/// # std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn record(path: impl AsRef<Path>) -> io::Result<Tape> {
    Tape::with_capacity(path, CAPACITY)
}

/// A recording that goes on; see [`record`].
///
/// When it is dropped the file is written too, but then nobody hears of an error:
/// [`Tape::finish`] returns it.
#[derive(Debug)]
#[must_use = "the recording ends when this is dropped"]
pub struct Tape {
    witness: Rc<Witness>,
    head: Head,
    /// Absent once it is written.
    file: Option<File>,
}

impl Tape {
    /// As [`record`], with `bytes` for records, 32 for each; a power of two of them is used. Names take
    /// an eighth more.
    ///
    /// When the memory is full, the oldest records go, and are counted. Tasks that live on keep their
    /// names.
    ///
    /// # Errors
    ///
    /// As [`record`]; `InvalidInput` when there is no room for a single record.
    pub fn with_capacity(path: impl AsRef<Path>, bytes: usize) -> io::Result<Self> {
        if bytes < RECORD_SIZE {
            let why = format!("{bytes} bytes are not enough for a record, {RECORD_SIZE} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        if witness().is_some() {
            let why = "this thread is recorded already";
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, why));
        }
        let file = Some(File::create(path)?);
        let names = vec![0; bytes / RECORDS_TO_NAMES];
        let recorder = FlightRecorder::new(vec![0; bytes], names, Monotonic);
        let tape = Self { witness: Rc::new(Witness::new(recorder)), head: Head::now(), file };
        tape.begin();
        Ok(tape)
    }

    fn begin(&self) {
        WITNESS.set(Some(self.witness.clone()));
        self.witness.tell_facts();
        if let Some(runtime) = host::current() {
            runtime.events.recorder().set(Some(self.witness.clone()));
            self.witness.begin_within(&runtime);
        }
    }

    /// Notes that the program has come to a point, which `text` describes.
    pub fn mark(&self, text: &str) {
        self.witness.mark(text);
    }

    /// Ends the recording and writes the file.
    ///
    /// # Errors
    ///
    /// Those of writing it.
    pub fn finish(mut self) -> io::Result<()> {
        self.end()
    }

    fn end(&mut self) -> io::Result<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let _ = WITNESS.try_with(RefCell::take);
        if let Some(runtime) = host::current() {
            runtime.events.recorder().set(None);
        }
        let mut file = BufWriter::new(file);
        Recording::kept_by(self.witness.recorder(), self.head).write(&mut file)?;
        file.flush()
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        // Whoever wants to hear of an error calls `finish`.
        let _ = self.end();
    }
}
