//! What the reading methods of a stream do, step by step, until all is there or more has to arrive.

use pyo3::exceptions::{PyStopAsyncIteration, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyTuple};

use super::reader::ReaderState;
use super::received::find;
use crate::{ffi, imports};

const TOO_LONG: &str = "Separator is found, but chunk is longer than limit";
const NOT_FOUND: &str = "Separator is not found, and chunk exceed the limit";

/// What is to be read.
pub enum Reading {
    /// At most so many bytes.
    Some(usize),
    /// All up to the end, of which this has been read.
    All(Vec<u8>),
    /// Exactly so many bytes.
    Exactly(usize),
    /// All up to a separator.
    Until(Until),
}

/// All up to a separator.
pub struct Until {
    /// The shortest first; none means the end of a line.
    pub separators: Vec<Py<PyBytes>>,
    /// Where to look for them: they do not begin before.
    offset: usize,
    /// What is to become of a line.
    line: Option<Line>,
}

/// A line, which may end with the stream, and may be too long.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// The result of `readline()`.
    Read,
    /// The next one in a loop, which ends where there is none.
    Next,
}

/// How far a step went.
pub enum Read<'py> {
    /// This was to be read.
    Done(Bound<'py, PyAny>),
    /// More has to arrive, for what this method reads.
    Waits(&'static str),
}

impl Until {
    /// All up to one of some separators.
    pub fn separators(separators: Vec<Py<PyBytes>>) -> Self {
        Self { separators, offset: 0, line: None }
    }

    /// All up to the end of a line.
    pub fn line(line: Line) -> Self {
        Self { separators: Vec::new(), offset: 0, line: Some(line) }
    }
}

impl Reading {
    /// The first step.
    ///
    /// # Errors
    ///
    /// The exception that the reader was set; those of asyncio's methods.
    pub fn begin<'py>(&mut self, py: Python<'py>, reader: &ReaderState) -> PyResult<Read<'py>> {
        reader.check(py)?;
        match self {
            Self::Some(0) | Self::Exactly(0) => Ok(Read::Done(PyBytes::new(py, b"").into_any())),
            Self::Some(_) | Self::All(_) if lacks(py, reader) => Ok(Read::Waits("read")),
            reading => reading.go_on(py, reader),
        }
    }

    /// The next step: more has arrived, or the end.
    ///
    /// # Errors
    ///
    /// Those of asyncio's methods.
    pub fn go_on<'py>(&mut self, py: Python<'py>, reader: &ReaderState) -> PyResult<Read<'py>> {
        match self {
            Self::Some(count) => take(py, reader, *count),
            Self::All(earlier) => read_all(py, reader, earlier),
            Self::Exactly(count) => read_exactly(py, reader, *count),
            Self::Until(until) => until.go_on(py, reader),
        }
    }
}

impl Reading {
    /// asyncio's coroutine for what is still to be read, and what has been.
    ///
    /// # Errors
    ///
    /// Those of calling its method.
    pub fn in_python<'py>(
        self,
        reader: &Bound<'py, PyAny>,
    ) -> PyResult<(Bound<'py, PyAny>, Vec<u8>)> {
        let py = reader.py();
        let (coroutine, earlier) = match self {
            Self::Some(count) => (reader.call_method1(intern!(py, "read"), (count,)), Vec::new()),
            Self::All(earlier) => (reader.call_method0(intern!(py, "read")), earlier),
            Self::Exactly(count) => {
                (reader.call_method1(intern!(py, "readexactly"), (count,)), Vec::new())
            }
            Self::Until(until) => (until.in_python(reader), Vec::new()),
        };
        Ok((coroutine?, earlier))
    }

    /// What is there by now of what needs no certain amount, taken from asyncio's buffer; the result, if
    /// that is all.
    ///
    /// # Errors
    ///
    /// Those of the buffer and of the transport.
    pub fn take_block_in_python<'py>(
        &mut self,
        reader: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = reader.py();
        let count = match self {
            Self::Some(count) => count.into_pyobject(py)?.into_any(),
            Self::All(_) => reader.getattr(intern!(py, "_limit"))?,
            Self::Exactly(_) | Self::Until(_) => return Ok(None),
        };
        let buffer = reader.getattr(intern!(py, "_buffer"))?;
        let front = imports::slice(py)?.call1((count,))?;
        let block =
            PyBytes::new(py, buffer.get_item(&front)?.cast::<PyByteArray>()?.to_vec().as_slice());
        buffer.del_item(front)?;
        reader.call_method0(intern!(py, "_maybe_resume_transport"))?;
        let Self::All(earlier) = self else { return Ok(Some(block.into_any())) };
        earlier.extend_from_slice(block.as_bytes());
        let is_end = block.as_bytes().is_empty();
        Ok(is_end.then(|| PyBytes::new(py, earlier).into_any()))
    }
}

/// Whether there is nothing to read, but may yet be.
fn lacks(py: Python<'_>, reader: &ReaderState) -> bool {
    let state = reader.state(py);
    !state.is_eof.get() && state.received.borrow().len(py) == 0
}

fn take<'py>(py: Python<'py>, reader: &ReaderState, count: usize) -> PyResult<Read<'py>> {
    let taken = reader.take(py, count);
    reader.go_on(py)?;
    Ok(Read::Done(taken.into_any()))
}

fn read_all<'py>(
    py: Python<'py>,
    reader: &ReaderState,
    earlier: &mut Vec<u8>,
) -> PyResult<Read<'py>> {
    let state = reader.state(py);
    loop {
        let block = reader.take(py, state.limit.get());
        reader.go_on(py)?;
        if block.as_bytes().is_empty() {
            return Ok(Read::Done(PyBytes::new(py, earlier).into_any()));
        }
        earlier.extend_from_slice(block.as_bytes());
        reader.check(py)?;
        if lacks(py, reader) {
            return Ok(Read::Waits("read"));
        }
    }
}

fn read_exactly<'py>(py: Python<'py>, reader: &ReaderState, count: usize) -> PyResult<Read<'py>> {
    let state = reader.state(py);
    if state.received.borrow().len(py) >= count {
        return take(py, reader, count);
    }
    if !state.is_eof.get() {
        return Ok(Read::Waits("readexactly"));
    }
    let partial = reader.take(py, count);
    Err(incomplete(py, &partial, Some(count)))
}

impl Until {
    fn in_python<'py>(self, reader: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = reader.py();
        match (self.line, self.separators.as_slice()) {
            (Some(Line::Read), _) => reader.call_method0(intern!(py, "readline")),
            (Some(Line::Next), _) => reader.call_method0(intern!(py, "__anext__")),
            (None, []) => reader.call_method0(intern!(py, "readuntil")),
            (None, [only]) => reader.call_method1(intern!(py, "readuntil"), (only,)),
            (None, several) => {
                let several = PyTuple::new(py, several)?;
                reader.call_method1(intern!(py, "readuntil"), (several,))
            }
        }
    }

    fn go_on<'py>(&mut self, py: Python<'py>, reader: &ReaderState) -> PyResult<Read<'py>> {
        let state = reader.state(py);
        let limit = state.limit.get();
        let (found, len) = {
            let received = state.received.borrow();
            let unread = received.unread(py);
            (self.find(py, unread), unread.len())
        };
        if let Some((start, _)) = found
            && start > limit
        {
            return self.overrun(py, reader, TOO_LONG, start);
        }
        if let Some((_, end)) = found {
            return take(py, reader, end);
        }
        let (shortest, longest) = self.lengths(py);
        if len.saturating_sub(self.offset) >= shortest {
            // What is found next may have begun with all but its last byte.
            self.offset = (len + 1).saturating_sub(longest);
            if self.offset > limit {
                return self.overrun(py, reader, NOT_FOUND, self.offset);
            }
        }
        if state.is_eof.get() { self.end(py, reader) } else { Ok(Read::Waits("readuntil")) }
    }

    /// Where the match is that ends first: its beginning and its end.
    fn find(&self, py: Python<'_>, unread: &[u8]) -> Option<(usize, usize)> {
        let locate = |separator: &[u8]| {
            let start = find(unread, separator, self.offset)?;
            Some((start, start + separator.len()))
        };
        if self.separators.is_empty() {
            return locate(b"\n");
        }
        let matches = self.separators.iter().filter_map(|separator| locate(separator.as_bytes(py)));
        matches.min_by_key(|(_, end)| *end)
    }

    /// The lengths of the shortest and of the longest separator.
    fn lengths(&self, py: Python<'_>) -> (usize, usize) {
        match self.separators.as_slice() {
            [shortest, .., longest] => (shortest.as_bytes(py).len(), longest.as_bytes(py).len()),
            [only] => (only.as_bytes(py).len(), only.as_bytes(py).len()),
            [] => (1, 1),
        }
    }

    /// The end has come without a separator.
    fn end<'py>(&self, py: Python<'py>, reader: &ReaderState) -> PyResult<Read<'py>> {
        let rest = reader.take(py, usize::MAX);
        match self.line {
            None => Err(incomplete(py, &rest, None)),
            Some(Line::Next) if rest.as_bytes().is_empty() => {
                Err(PyStopAsyncIteration::new_err(()))
            }
            Some(_) => Ok(Read::Done(rest.into_any())),
        }
    }

    /// There is more before a separator than the limit allows.
    fn overrun<'py>(
        &self,
        py: Python<'py>,
        reader: &ReaderState,
        message: &str,
        consumed: usize,
    ) -> PyResult<Read<'py>> {
        let overrun = imports::limit_overrun_error(py)?.call1((message, consumed))?;
        if self.line.is_none() {
            return Err(PyErr::from_value(overrun));
        }
        {
            let mut received = reader.state(py).received.borrow_mut();
            if received.unread(py).get(consumed) == Some(&b'\n') {
                received.skip(py, consumed + 1);
            } else {
                received.clear();
            }
        }
        reader.go_on(py)?;
        let error = PyValueError::new_err(message.to_owned());
        ffi::set_context(&error, overrun);
        Err(error)
    }
}

fn incomplete(py: Python<'_>, partial: &Bound<'_, PyBytes>, expected: Option<usize>) -> PyErr {
    let class = imports::incomplete_read_error(py);
    match class.and_then(|class| class.call1((partial, expected))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}
