//! The reading half of a session: records become the bytes that the application gets.
//!
//! Small ones are copied from the loop's buffer for records; where more has arrived, all is decrypted to
//! one object, and only its first record is copied.

use pyo3::exceptions::PyMemoryError;
use pyo3::intern;
use pyo3::prelude::*;

use super::session::{Progress, RECORD, Session, progress};
use crate::ffi;
use crate::spare_bytes::{Served, SpareBytes};

/// What a read gave.
#[derive(Default)]
pub struct Received<'py> {
    /// The plain bytes, if there were any.
    pub data: Option<Served<'py>>,
    /// Whether the peer has said that no more will come.
    pub is_end: bool,
    /// Whether there may be more than there was room for.
    pub is_part: bool,
}

impl Session {
    /// Decrypts what has arrived, as far as it goes.
    ///
    /// # Errors
    ///
    /// `ssl.SSLError` when the session is broken; `MemoryError`.
    pub fn read<'py>(&self, py: Python<'py>, spares: &SpareBytes) -> PyResult<Received<'py>> {
        if !self.has_input(py)? {
            return Ok(Received::default());
        }
        let record = self.record.bind(py);
        let count = match self.read_into(py, RECORD, record)? {
            Progress::Again => return Ok(Received::default()),
            Progress::Done(0) => return Ok(Received { is_end: true, ..Received::default() }),
            Progress::Done(count) => count,
        };
        if self.has_input(py)? {
            return self.read_on(py, spares, count);
        }
        let mut data = with_room(py, spares, count)?;
        ffi::copy_from_bytearray(record, &mut data.memory_behind(0)[..count]);
        let data = Some(spares.shorten(data, count, count));
        Ok(Received { data, ..Received::default() })
    }

    /// Decrypts what else has arrived, behind the record that has just been read.
    fn read_on<'py>(
        &self,
        py: Python<'py>,
        spares: &SpareBytes,
        record_len: usize,
    ) -> PyResult<Received<'py>> {
        // What is decrypted is less than it was.
        let room = record_len + self.incoming_len(py)?.max(RECORD);
        let mut data = with_room(py, spares, room)?;
        ffi::copy_from_bytearray(self.record.bind(py), &mut data.memory_behind(0)[..record_len]);
        let (mut count, mut is_end) = (record_len, false);
        while count < data.room() && !is_end && self.has_input(py)? {
            match self.read_behind(&mut data, count)? {
                Progress::Again => break,
                Progress::Done(more) => {
                    count += more;
                    is_end = more == 0;
                }
            }
        }
        let is_part = count == data.room();
        Ok(Received { data: Some(spares.shorten(data, room, count)), is_end, is_part })
    }

    /// Decrypts to behind the first bytes of what is being filled; none means that no more will come.
    fn read_behind(&self, data: &mut Served<'_>, count: usize) -> PyResult<Progress<usize>> {
        let (py, limit) = (data.bytes().py(), data.room() - count);
        if let Some(engine) = &self.engine {
            return self.note_read(py, limit, engine.read_behind(data, count));
        }
        let record = self.record.bind(py);
        let outcome = self.read_into(py, limit.min(RECORD), record)?;
        if let Progress::Done(more) = outcome {
            ffi::copy_from_bytearray(record, &mut data.memory_behind(count)[..more]);
        }
        Ok(outcome)
    }

    /// Decrypts into a writable buffer, up to `limit` bytes; none means that no more will come.
    ///
    /// # Errors
    ///
    /// `ssl.SSLError` when the session is broken.
    pub fn read_into(
        &self,
        py: Python<'_>,
        limit: usize,
        buffer: &Bound<'_, PyAny>,
    ) -> PyResult<Progress<usize>> {
        let count = self.target.call_method1(py, intern!(py, "read"), (limit, buffer));
        self.note_read(py, limit, count.and_then(|count| count.extract(py)))
    }

    /// Takes note of a read of so many bytes at most.
    fn note_read(
        &self,
        py: Python<'_>,
        limit: usize,
        outcome: PyResult<usize>,
    ) -> PyResult<Progress<usize>> {
        self.use_memories(py);
        let count = progress(py, outcome)?;
        // Of one record a read gives all that there is room for.
        self.may_hold.get(py).set(matches!(count, Progress::Done(count) if count == limit));
        Ok(count)
    }

    /// Whether a read could give anything: asking saves an exception for each time it could not.
    pub fn has_input(&self, py: Python<'_>) -> PyResult<bool> {
        if self.incoming_len(py)? > 0 {
            return Ok(true);
        }
        if !self.may_hold.get(py).get() {
            return Ok(false);
        }
        self.target.call_method0(py, intern!(py, "pending"))?.is_truthy(py)
    }
}

/// Bytes to decrypt to.
fn with_room<'py>(py: Python<'py>, spares: &SpareBytes, room: usize) -> PyResult<Served<'py>> {
    spares.with_room(py, room).ok_or_else(|| PyMemoryError::new_err(()))
}
