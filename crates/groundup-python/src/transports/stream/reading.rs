//! The reading half of a stream: one receive a turn, and one call of the protocol.

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyBufferError, PyRuntimeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rustix::io::Errno;
use rustix::net::RecvFlags;

use super::StreamTransport;
use super::receiving::{LARGE, receive, receive_for_now};
use crate::event_loop::READ_SIZE;
use crate::transports::TlsProtocol;
use crate::transports::reports::Reporting;
use crate::{errors, ffi, streams};

/// How much one read takes into a protocol's own buffer, in bytes. Protocols that pass on what they get often
/// have one of 256 KiB, and the kernel would send that as four packets and a tiny fifth.
const INTO_SIZE: usize = 2 * READ_SIZE;

impl StreamTransport {
    /// Receives once, and sends what the protocol answers while what it needs is at hand.
    pub(super) fn on_readable(stream: &Bound<'_, Self>) -> PyResult<()> {
        let state = stream.get().state(stream.py());
        if state.lost_count.get() > 0 || state.is_paused.get() {
            return Ok(());
        }
        if state.is_buffered.get() {
            Self::read_into_protocol(stream)
        } else {
            Self::read(stream)
        }?;
        Self::flush_written(stream);
        Ok(())
    }

    fn read(stream: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (stream.py(), stream.get());
        if let Some(tls) = Self::tls(stream) {
            return Self::read_for_tls(stream, &tls);
        }
        let spares = this.event_loop.get().spares(py);
        let expected = &this.state(py).expected;
        match receive(py, this.event_loop.get(), this.fd(), expected, READ_SIZE) {
            Ok(data) if data.len() == 0 => Self::on_eof(stream),
            Ok(data) => {
                let outcome = Self::hand_up(stream, data.bytes());
                if matches!(outcome, Ok(true)) || data.len() >= LARGE {
                    spares.lend(data);
                } else {
                    spares.keep(data);
                }
                let outcome = outcome.map(drop);
                Self::fail_on_error(stream, outcome, "protocol.data_received() call failed.")
            }
            Err(error) => Self::fail_on_read_error(stream, error),
        }
    }

    /// Gives what was received to who wants it; tells whether that is a reader, which keeps it.
    fn hand_up(stream: &Bound<'_, Self>, data: &Bound<'_, PyBytes>) -> PyResult<bool> {
        let (py, state) = (stream.py(), stream.get().state(stream.py()));
        if streams::deliver(&state.protocol, &state.reader, data)? {
            return Ok(true);
        }
        Self::call_protocol(stream, intern!(py, "data_received"), (data,)).map(|_| false)
    }

    /// Receives what a session decrypts, which keeps nothing of it: as much as there is, to bytes that serve
    /// every session.
    fn read_for_tls(stream: &Bound<'_, Self>, tls: &Bound<'_, TlsProtocol>) -> PyResult<()> {
        let (py, this) = (stream.py(), stream.get());
        match receive_for_now(py, this.event_loop.get(), this.fd(), READ_SIZE) {
            Ok(data) if data.len() == 0 => Self::on_eof(stream),
            Ok(data) => {
                let context = this.context.bind(py);
                let receive = || TlsProtocol::receive(tls, data.bytes());
                let outcome = ffi::run_in_context(context, receive);
                this.event_loop.get().spares(py).keep(data);
                Self::fail_on_error(stream, outcome, "protocol.data_received() call failed.")
            }
            Err(error) => Self::fail_on_read_error(stream, error),
        }
    }

    /// The protocol, if it is the loop's own for TLS; in debug mode it is called as any other, and timed.
    fn tls<'py>(stream: &Bound<'py, Self>) -> Option<Bound<'py, TlsProtocol>> {
        let (py, this) = (stream.py(), stream.get());
        let protocol = this.state(py).protocol.borrow();
        let tls = protocol.as_ref()?.bind(py).cast_exact::<TlsProtocol>().ok()?;
        (!this.event_loop.get().is_debug(py)).then(|| tls.clone())
    }

    /// Whether what goes over the stream is a TLS session's.
    pub(super) fn has_tls(stream: &Bound<'_, Self>) -> bool {
        let protocol = stream.get().state(stream.py()).protocol.borrow();
        protocol.as_ref().is_some_and(|it| it.bind(stream.py()).is_instance_of::<TlsProtocol>())
    }

    fn read_into_protocol(stream: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (stream.py(), stream.get());
        let buffer = match Self::get_buffer(stream) {
            Ok(buffer) => buffer,
            Err(error) => {
                let outcome = Err(error);
                return Self::fail_on_error(stream, outcome, "protocol.get_buffer() call failed.");
            }
        };
        let received = ffi::with_bytes_mut(&buffer, |bytes| {
            let most = bytes.len().min(INTO_SIZE);
            this.event_loop.get().read_with(py, this.descriptor, || {
                rustix::net::recv(this.fd(), &mut bytes[..most], RecvFlags::DONTWAIT)
            })
        });
        drop(buffer);
        match received {
            Ok(Ok((0, _))) => Self::on_eof(stream),
            Ok(Ok((length, _))) => {
                let name = intern!(py, "buffer_updated");
                let outcome = Self::call_protocol(stream, name, (length,)).map(drop);
                Self::fail_on_error(stream, outcome, "protocol.buffer_updated() call failed.")
            }
            Ok(Err(error)) => Self::fail_on_read_error(stream, error),
            Err(error) => Self::fatal_error(stream, error, "Fatal read error on socket transport"),
        }
    }

    fn get_buffer(stream: &Bound<'_, Self>) -> PyResult<PyUntypedBuffer> {
        let name = intern!(stream.py(), "get_buffer");
        let object = Self::call_protocol(stream, name, (-1,))?;
        let buffer = PyUntypedBuffer::get(&object)?;
        if buffer.len_bytes() == 0 {
            return Err(PyRuntimeError::new_err("get_buffer() returned an empty buffer"));
        }
        if !buffer.is_c_contiguous() {
            return Err(PyBufferError::new_err("get_buffer() returned a buffer in pieces"));
        }
        Ok(buffer)
    }

    fn on_eof(stream: &Bound<'_, Self>) -> PyResult<()> {
        let py = stream.py();
        stream.get().log_debug(py, "%r received EOF", stream)?;
        match Self::call_protocol(stream, intern!(py, "eof_received"), ())
            .and_then(|keep| keep.is_truthy())
        {
            Ok(true) => {
                // The protocol goes on writing; there is nothing more to read.
                stream.get().state(py).got_eof.set(true);
                Self::update_interest(stream);
                Ok(())
            }
            Ok(false) => Self::close_stream(stream),
            Err(error) => {
                let outcome = Err(error);
                Self::fail_on_error(stream, outcome, "protocol.eof_received() call failed.")
            }
        }
    }

    fn fail_on_read_error(stream: &Bound<'_, Self>, error: Errno) -> PyResult<()> {
        match error {
            Errno::AGAIN | Errno::INTR => Ok(()),
            error => {
                let error = errors::os_error(&error.into());
                Self::fatal_error(stream, error, "Fatal read error on socket transport")
            }
        }
    }
}
