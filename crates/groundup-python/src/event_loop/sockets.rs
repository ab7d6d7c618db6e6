//! The sock_ methods for streams.

use groundup::poller::Readiness;
use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rustix::net::{RecvFlags, SendFlags};

use super::socket::{Attempt, Socket, unless_blocked, unless_would_block};
use super::socket_operation::{self, Act};
use super::{EventLoop, READ_SIZE, connecting_sockets, descriptor_of};
use crate::ffi;
use crate::native_coroutine::{self, NativeCoroutine};
use crate::transports::receive;

/// Receiving up to so many bytes.
struct Receive(isize);

impl Act for Receive {
    const DIRECTION: Readiness = Readiness::READABLE;

    fn prepare(&mut self, _: Python<'_>, _: &Socket) -> PyResult<()> {
        match self.0 {
            ..0 => Err(PyValueError::new_err("negative buffersize in recv")),
            0.. => Ok(()),
        }
    }

    fn attempt(&mut self, py: Python<'_>, socket: &Socket) -> Attempt<Py<PyAny>> {
        let (fd, event_loop) =
            (ffi::borrow_descriptor(socket.descriptor()), socket.event_loop.get());
        let most = self.0.unsigned_abs().min(READ_SIZE);
        let received = receive(py, event_loop, fd, event_loop.expected(py), most);
        let Some(served) = unless_would_block(received)? else { return Ok(None) };
        let data = served.bytes().clone();
        event_loop.spares(py).lend(served);
        Ok(Some(data.into_any().unbind()))
    }
}

/// Receiving into an object.
struct ReceiveInto {
    object: Py<PyAny>,
    buffer: Option<PyUntypedBuffer>,
}

impl Act for ReceiveInto {
    const DIRECTION: Readiness = Readiness::READABLE;

    fn prepare(&mut self, py: Python<'_>, _: &Socket) -> PyResult<()> {
        self.buffer = Some(PyUntypedBuffer::get(self.object.bind(py))?);
        Ok(())
    }

    fn attempt(&mut self, py: Python<'_>, socket: &Socket) -> Attempt<Py<PyAny>> {
        let fd = ffi::borrow_descriptor(socket.descriptor());
        let buffer = self.buffer.as_ref().expect("the act is prepared");
        let event_loop = socket.event_loop.get();
        let outcome = ffi::with_bytes_mut(buffer, |bytes| {
            event_loop.read_with(py, socket.descriptor(), || {
                rustix::net::recv(fd, bytes, RecvFlags::DONTWAIT)
            })
        })?;
        let Some((length, _)) = unless_would_block(outcome)? else { return Ok(None) };
        Ok(Some(length.into_pyobject(py)?.into_any().unbind()))
    }

    fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.object)
    }
}

/// Sending all of an object, of which so much has been sent.
struct SendAll {
    object: Py<PyAny>,
    /// Absent for bytes, which need none.
    buffer: Option<PyUntypedBuffer>,
    sent: usize,
}

impl SendAll {
    /// Sends what the system takes of what is left; none if it takes nothing. Gives how much is left.
    fn send(
        &self,
        py: Python<'_>,
        bytes: &[u8],
        socket: &Socket,
    ) -> rustix::io::Result<(usize, usize)> {
        let fd = ffi::borrow_descriptor(socket.descriptor());
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let sent = socket.event_loop.get().write_with(py, socket.descriptor(), || {
            rustix::net::send(fd, &bytes[self.sent..], flags)
        })?;
        Ok((sent, bytes.len() - self.sent - sent))
    }
}

impl Act for SendAll {
    const DIRECTION: Readiness = Readiness::WRITABLE;

    fn prepare(&mut self, py: Python<'_>, _: &Socket) -> PyResult<()> {
        let object = self.object.bind(py);
        if !object.is_exact_instance_of::<PyBytes>() {
            self.buffer = Some(PyUntypedBuffer::get(object)?);
        }
        Ok(())
    }

    fn attempt(&mut self, py: Python<'_>, socket: &Socket) -> Attempt<Py<PyAny>> {
        let outcome = match &self.buffer {
            None => self.send(py, self.object.bind(py).cast::<PyBytes>()?.as_bytes(), socket),
            Some(buffer) => ffi::with_bytes(buffer, |bytes| self.send(py, bytes, socket))?,
        };
        let Some((sent, left)) = unless_would_block(outcome)? else { return Ok(None) };
        self.sent += sent;
        Ok((left == 0).then(|| py.None()))
    }

    fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.object)
    }
}

/// Accepting a connection.
struct Accept;

impl Act for Accept {
    const DIRECTION: Readiness = Readiness::READABLE;

    fn attempt(&mut self, py: Python<'_>, socket: &Socket) -> Attempt<Py<PyAny>> {
        let accepted = unless_blocked(socket.socket.call_method0(py, intern!(py, "accept")))?;
        if let Some(accepted) = &accepted {
            let connection = accepted.bind(py).get_item(0)?;
            connection.call_method1(intern!(py, "setblocking"), (false,))?;
            socket.tell_open(py, descriptor_of(&connection)?);
        }
        Ok(accepted)
    }
}

#[pymethods]
impl EventLoop {
    /// Receive up to n bytes from a non-blocking socket; b'' when the peer has closed.
    fn sock_recv(
        slf: &Bound<'_, Self>,
        sock: Py<PyAny>,
        n: isize,
    ) -> PyResult<Py<NativeCoroutine>> {
        socket_operation::coroutine(slf, "EventLoop.sock_recv", sock, Receive(n))
    }

    /// Receive from a non-blocking socket into a writable buffer; return how many bytes.
    fn sock_recv_into(
        slf: &Bound<'_, Self>,
        sock: Py<PyAny>,
        buf: Py<PyAny>,
    ) -> PyResult<Py<NativeCoroutine>> {
        let act = ReceiveInto { object: buf, buffer: None };
        socket_operation::coroutine(slf, "EventLoop.sock_recv_into", sock, act)
    }

    /// Send all bytes of a buffer to a non-blocking socket.
    fn sock_sendall(
        slf: &Bound<'_, Self>,
        sock: Py<PyAny>,
        data: Py<PyAny>,
    ) -> PyResult<Py<NativeCoroutine>> {
        let act = SendAll { object: data, buffer: None, sent: 0 };
        socket_operation::coroutine(slf, "EventLoop.sock_sendall", sock, act)
    }

    /// Accept a connection on a non-blocking socket; return a new socket and its peer's address.
    fn sock_accept(slf: &Bound<'_, Self>, sock: Py<PyAny>) -> PyResult<Py<NativeCoroutine>> {
        socket_operation::coroutine(slf, "EventLoop.sock_accept", sock, Accept)
    }

    /// Connect a non-blocking socket to an address.
    fn sock_connect(
        slf: &Bound<'_, Self>,
        sock: Py<PyAny>,
        address: Py<PyAny>,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        native_coroutine::new(py, "EventLoop.sock_connect", async move |awaiter| {
            connecting_sockets::connect(&awaiter, &event_loop, &sock, &address).await?;
            Ok(Python::attach(|py| py.None()))
        })
    }
}
