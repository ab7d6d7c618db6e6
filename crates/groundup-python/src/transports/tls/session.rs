//! A TLS session: OpenSSL behind Python's `ssl` module, fed and emptied through memory.
//!
//! The caller's context makes the session, so that everything set on it holds. Where the session is
//! exactly an `ssl.SSLObject`, its C part is called directly and no Python frame stands between.

use std::cell::Cell;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict};

use super::engine::Engine;
use super::memory::Memory;
use crate::gil::GilBound;
use crate::imports;

/// How much one record can hold, in bytes (RFC 8446, section 5.1).
pub const RECORD: usize = 16 * 1024;

/// What an operation came to.
#[derive(Debug)]
pub enum Progress<T> {
    /// It is done.
    Done(T),
    /// It needs more from the peer.
    Again,
}

/// One session and the two memories it works on.
#[derive(Debug)]
pub struct Session {
    /// The `ssl.SSLObject`, for users.
    pub object: Py<PyAny>,
    /// What is called: its C part, or the object itself where a subclass may have a say.
    pub(super) target: Py<PyAny>,
    /// The same C part, where it is known.
    pub(super) engine: Option<Engine>,
    pub(super) incoming: Memory,
    outgoing: Memory,
    /// Where one record is decrypted to.
    pub(super) record: Py<PyByteArray>,
    /// Whether there may be bytes that are decrypted and not yet read.
    pub(super) may_hold: GilBound<Cell<bool>>,
}

impl Session {
    /// A session that has not begun its handshake.
    ///
    /// # Errors
    ///
    /// What the context raises: for a host name it cannot check, for example.
    pub fn new(
        context: &Bound<'_, PyAny>,
        server_side: bool,
        server_hostname: Option<&Bound<'_, PyAny>>,
        record: Py<PyByteArray>,
    ) -> PyResult<Self> {
        let py = context.py();
        let (incoming, outgoing) = (Memory::new(py)?, Memory::new(py)?);
        let keywords = PyDict::new(py);
        keywords.set_item("server_side", server_side)?;
        keywords.set_item("server_hostname", server_hostname)?;
        let memories = (incoming.object(), outgoing.object());
        let object = context.call_method("wrap_bio", memories, Some(&keywords))?;
        let is_plain = object.get_type().is(imports::ssl_object(py)?);
        let target = if is_plain { object.getattr("_sslobj")? } else { object.clone() };
        Ok(Self {
            object: object.unbind(),
            engine: Engine::of(&target)?,
            target: target.unbind(),
            incoming,
            outgoing,
            record,
            may_hold: GilBound::new(Cell::new(true)),
        })
    }

    /// A buffer for records, which all sessions of a loop can share.
    pub fn record_buffer(py: Python<'_>) -> Py<PyByteArray> {
        PyByteArray::new(py, &[0; RECORD]).unbind()
    }

    /// Goes on with the handshake.
    ///
    /// # Errors
    ///
    /// `ssl.SSLError` when it failed.
    pub fn handshake(&self, py: Python<'_>) -> PyResult<Progress<()>> {
        self.use_memories(py);
        progress(py, self.target.call_method0(py, intern!(py, "do_handshake")).map(drop))
    }

    /// Goes on with the exchange of close notifications.
    ///
    /// # Errors
    ///
    /// `ssl.SSLError` when it failed.
    pub fn shutdown(&self, py: Python<'_>) -> PyResult<Progress<()>> {
        self.use_memories(py);
        let is_plain = !self.target.is(&self.object);
        let name = if is_plain { intern!(py, "shutdown") } else { intern!(py, "unwrap") };
        progress(py, self.target.call_method0(py, name).map(drop))
    }

    /// Encrypts data; tells how much of it.
    ///
    /// # Errors
    ///
    /// `ssl.SSLError` when the session is broken.
    pub fn write(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<Progress<usize>> {
        self.outgoing.forget_len(py);
        let written = self.target.call_method1(py, intern!(py, "write"), (data,));
        let written = progress(py, written.and_then(|count| count.extract(py)))?;
        if matches!(written, Progress::Again) {
            // It may have gone on with a handshake, for which it reads.
            self.use_memories(py);
        }
        Ok(written)
    }

    /// Takes in what came from the peer.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    pub fn feed(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        self.incoming.write(py, data)
    }

    /// Takes out what is to go to the peer.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    pub fn drain<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.outgoing.drain(py)
    }

    /// Shows the garbage collector what the session holds.
    pub fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.object)?;
        visit.call(&self.target)?;
        visit.call(self.engine.as_ref().map(Engine::object))?;
        self.incoming.traverse(visit)?;
        self.outgoing.traverse(visit)
    }

    /// How many bytes from the peer have not been decrypted.
    pub fn incoming_len(&self, py: Python<'_>) -> PyResult<usize> {
        self.incoming.len(py)
    }

    /// How many bytes wait to go to the peer.
    pub fn outgoing_len(&self, py: Python<'_>) -> PyResult<usize> {
        self.outgoing.len(py)
    }

    /// Takes note that the session works on its memories.
    pub(super) fn use_memories(&self, py: Python<'_>) {
        self.incoming.forget_len(py);
        self.outgoing.forget_len(py);
        self.may_hold.get(py).set(true);
    }
}

/// Tells an operation that needs more from the peer from one that failed.
pub fn progress<T>(py: Python<'_>, outcome: PyResult<T>) -> PyResult<Progress<T>> {
    match outcome {
        Ok(result) => Ok(Progress::Done(result)),
        Err(error) if needs_more(py, &error)? => Ok(Progress::Again),
        Err(error) => Err(error),
    }
}

fn needs_more(py: Python<'_>, error: &PyErr) -> PyResult<bool> {
    let value = error.value(py);
    Ok(value.is_instance(imports::ssl_want_read_error(py)?)?
        || value.is_instance(imports::ssl_syscall_error(py)?)?)
}
