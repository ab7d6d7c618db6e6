//! The sock_ methods for datagrams: a datagram and an address at a time.

use std::time::Duration;

use groundup::poller::Readiness;
use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rustix::net::{AddressFamily, RecvFlags, SocketAddrAny};

use super::socket::{Attempt, Socket, unless_blocked, unless_would_block};
use super::socket_operation::{self, Act};
use super::{EventLoop, READ_SIZE};
use crate::native_coroutine::{self, Awaiter, NativeCoroutine};
use crate::transports::{Address, Destination, family_of, is_native};
use crate::{ffi, imports};

/// How long to wait between attempts to send to a receiver that has no room, first and at most.
const RETRIES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(64)];

impl Socket {
    fn family(&self) -> AddressFamily {
        family_of(ffi::borrow_descriptor(self.descriptor()))
    }

    /// A sender's address as Python has it; None where the sender has none.
    fn sender(&self, py: Python<'_>, sender: Option<SocketAddrAny>) -> PyResult<Py<PyAny>> {
        let fd = ffi::borrow_descriptor(self.descriptor());
        sender.map_or_else(|| Ok(py.None()), |sender| Address::new(fd, sender).to_python(py))
    }

    /// Receives up to `size` bytes of a datagram: its data and its sender's address.
    fn receive(&self, py: Python<'_>, size: usize) -> Attempt<Py<PyAny>> {
        let fd = ffi::borrow_descriptor(self.descriptor());
        let received = self.event_loop.get().with_scratch(py, |scratch| {
            let buffer = &mut scratch[..size];
            let (length, _, sender) = rustix::net::recvfrom(fd, &mut *buffer, RecvFlags::DONTWAIT)?;
            Ok((PyBytes::new(py, &buffer[..length]).unbind(), sender))
        });
        let Some((data, sender)) = unless_would_block(received)? else { return Ok(None) };
        let received = (data, self.sender(py, sender)?).into_pyobject(py)?;
        Ok(Some(received.into_any().unbind()))
    }

    /// Receives into the first `size` bytes of a buffer: how many, and the sender's address.
    fn receive_into(
        &self,
        py: Python<'_>,
        buffer: &PyUntypedBuffer,
        size: usize,
    ) -> Attempt<Py<PyAny>> {
        let fd = ffi::borrow_descriptor(self.descriptor());
        let received = ffi::with_bytes_mut(buffer, |bytes| {
            rustix::net::recvfrom(fd, &mut bytes[..size], RecvFlags::DONTWAIT)
        })?;
        let Some((length, _, sender)) = unless_would_block(received)? else { return Ok(None) };
        let received = (length, self.sender(py, sender)?).into_pyobject(py)?;
        Ok(Some(received.into_any().unbind()))
    }

    /// Has the socket's own method do it, which knows the addresses of all families.
    fn call<A>(&self, py: Python<'_>, method: &str, args: A) -> Attempt<Py<PyAny>>
    where
        A: for<'py> pyo3::call::PyCallArgs<'py>,
    {
        unless_blocked(self.socket.call_method1(py, method, args))
    }

    /// Sends a datagram: how many bytes.
    fn send(
        &self,
        py: Python<'_>,
        data: &Py<PyAny>,
        buffer: &PyUntypedBuffer,
        destination: &Destination,
    ) -> Attempt<usize> {
        let fd = ffi::borrow_descriptor(self.descriptor());
        match ffi::with_bytes(buffer, |bytes| destination.send(fd, bytes))? {
            Some(outcome) => unless_would_block(outcome),
            None => {
                let (socket, data) = (self.socket.bind(py), data.bind(py));
                unless_blocked(destination.send_by_socket(socket, data))
            }
        }
    }

    /// Waits until it is worth trying to send again.
    ///
    /// The queue of a receiver of Unix datagrams may be full while the socket stays writable: after
    /// a wait that was in vain, time has to pass as well.
    async fn wait_to_send(&self, awaiter: &Awaiter, attempts: u32) -> PyResult<()> {
        self.wait_writable(awaiter).await?;
        let Some(doublings) = attempts.checked_sub(1) else { return Ok(()) };
        let delay = RETRIES[1].min(RETRIES[0].saturating_mul(1 << doublings.min(16)));
        let pause = Python::attach(|py| {
            imports::sleep(py)?.call1((delay.as_secs_f64(),)).map(Bound::unbind)
        })?;
        awaiter.wait(pause).await.map(drop)
    }
}

/// How many bytes to receive.
fn size_of(number: isize, method: &str) -> PyResult<usize> {
    let negative = |_| PyValueError::new_err(format!("negative buffersize in {method}"));
    usize::try_from(number).map_err(negative)
}

/// Receiving up to so many bytes of a datagram.
struct ReceiveFrom {
    size: isize,
    /// Whether the addresses are of a family that needs no help of the socket's.
    is_native: bool,
}

impl Act for ReceiveFrom {
    const DIRECTION: Readiness = Readiness::READABLE;

    fn prepare(&mut self, _: Python<'_>, socket: &Socket) -> PyResult<()> {
        let size = size_of(self.size, "recvfrom")?;
        self.is_native = is_native(socket.family()) && size <= READ_SIZE;
        Ok(())
    }

    fn attempt(&mut self, py: Python<'_>, socket: &Socket) -> Attempt<Py<PyAny>> {
        match self.is_native {
            true => socket.receive(py, self.size.unsigned_abs()),
            false => socket.call(py, "recvfrom", (self.size,)),
        }
    }
}

/// Receiving so many bytes of a datagram into an object, or, for 0, as many as it has room for.
struct ReceiveFromInto {
    object: Py<PyAny>,
    size: isize,
    buffer: Option<PyUntypedBuffer>,
    is_native: bool,
}

impl Act for ReceiveFromInto {
    const DIRECTION: Readiness = Readiness::READABLE;

    fn prepare(&mut self, py: Python<'_>, socket: &Socket) -> PyResult<()> {
        let object = self.object.bind(py);
        let (buffer, room) = (PyUntypedBuffer::get(object)?, object.len()?);
        if size_of(self.size, "recvfrom_into")? == 0 {
            self.size = room.cast_signed();
        }
        if self.size.unsigned_abs() > buffer.len_bytes() {
            let message = "nbytes is greater than the length of the buffer";
            return Err(PyValueError::new_err(message));
        }
        self.buffer = Some(buffer);
        self.is_native = is_native(socket.family());
        Ok(())
    }

    fn attempt(&mut self, py: Python<'_>, socket: &Socket) -> Attempt<Py<PyAny>> {
        let buffer = self.buffer.as_ref().expect("the act is prepared");
        match self.is_native {
            true => socket.receive_into(py, buffer, self.size.unsigned_abs()),
            false => socket.call(py, "recvfrom_into", (&self.object, self.size)),
        }
    }

    fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.object)
    }
}

#[pymethods]
impl EventLoop {
    /// Receive a datagram from a non-blocking socket; return its first bufsize bytes and its
    /// sender's address, None if it has none.
    fn sock_recvfrom(
        slf: &Bound<'_, Self>,
        sock: Py<PyAny>,
        bufsize: isize,
    ) -> PyResult<Py<NativeCoroutine>> {
        let act = ReceiveFrom { size: bufsize, is_native: false };
        socket_operation::coroutine(slf, "EventLoop.sock_recvfrom", sock, act)
    }

    /// Receive a datagram from a non-blocking socket into a writable buffer, at most nbytes of it, or
    /// as many as the buffer has room for; return how many, and its sender's address.
    #[pyo3(signature = (sock, buf, nbytes=0))]
    fn sock_recvfrom_into(
        slf: &Bound<'_, Self>,
        sock: Py<PyAny>,
        buf: Py<PyAny>,
        nbytes: isize,
    ) -> PyResult<Py<NativeCoroutine>> {
        let act = ReceiveFromInto { object: buf, size: nbytes, buffer: None, is_native: false };
        socket_operation::coroutine(slf, "EventLoop.sock_recvfrom_into", sock, act)
    }

    /// Send a datagram to an address, from a non-blocking socket; return how many bytes were sent.
    fn sock_sendto(
        slf: &Bound<'_, Self>,
        sock: Py<PyAny>,
        data: Py<PyAny>,
        address: Py<PyAny>,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        native_coroutine::new(py, "EventLoop.sock_sendto", async move |awaiter| {
            let socket = Socket::checked(&event_loop, &sock)?;
            let (buffer, destination) = Python::attach(|py| {
                let destination = Destination::of(socket.family(), address.bind(py));
                PyResult::Ok((PyUntypedBuffer::get(data.bind(py))?, destination))
            })?;
            for attempts in 0.. {
                let sent = Python::attach(|py| socket.send(py, &data, &buffer, &destination))?;
                if let Some(length) = sent {
                    return Python::attach(|py| Ok(length.into_pyobject(py)?.into_any().unbind()));
                }
                socket.wait_to_send(&awaiter, attempts).await?;
            }
            unreachable!("the attempts do not end")
        })
    }
}
