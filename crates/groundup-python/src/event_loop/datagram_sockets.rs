//! The sock_ methods that receive datagrams: a datagram and an address at a time.

use std::net::SocketAddr;

use groundup::poller::Readiness;
use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;
use rustix::net::{AddressFamily, RecvFlags, SocketAddrAny};

use super::socket::{Attempt, Socket, unless_blocked, unless_would_block};
use super::socket_operation::{self, Act};
use super::{EventLoop, SCRATCH_SIZE};
use crate::native_coroutine::NativeCoroutine;
use crate::transports::{Address, family_of, is_native};
use crate::{ffi, imports};

impl Socket {
    /// The family of its addresses, as its class in C knows it, or else the system.
    pub fn family(&self, py: Python<'_>) -> AddressFamily {
        let known = imports::c_socket(py).and_then(|class| {
            static DESCRIPTOR: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
            let find = || PyResult::Ok(class.getattr("family")?.unbind());
            let descriptor = DESCRIPTOR.get_or_try_init(py, find)?.bind(py);
            ffi::get_by_descriptor(descriptor, self.socket.bind(py))?.extract()
        });
        match known {
            Ok(family) => AddressFamily::from_raw(family),
            Err(_) => family_of(ffi::borrow_descriptor(self.descriptor())),
        }
    }

    /// A sender's address as Python has it; None where the sender has none.
    fn sender(&self, py: Python<'_>, sender: Option<SocketAddrAny>) -> PyResult<Py<PyAny>> {
        let Some(sender) = sender else { return Ok(py.None()) };
        let fd = ffi::borrow_descriptor(self.descriptor());
        let Ok(SocketAddr::V4(v4)) = SocketAddr::try_from(sender.clone()) else {
            return Address::new(fd, sender).to_python(py);
        };
        let make = || Ok(Address::new(fd, sender).to_python(py)?.into_bound(py));
        self.event_loop.get().senders(py).address_of(py, v4.into(), make).map(Bound::unbind)
    }

    /// Receives up to `size` bytes of a datagram: its data and its sender's address.
    fn receive(&self, py: Python<'_>, size: usize) -> Attempt<Py<PyAny>> {
        let fd = ffi::borrow_descriptor(self.descriptor());
        let event_loop = self.event_loop.get();
        let received = event_loop.with_scratch(py, |scratch| {
            let buffer = &mut scratch[..size];
            let receive = || rustix::net::recvfrom(fd, &mut *buffer, RecvFlags::DONTWAIT);
            let (length, _, sender) = event_loop.read_with(py, self.descriptor(), receive)?;
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
            let receive = || rustix::net::recvfrom(fd, &mut bytes[..size], RecvFlags::DONTWAIT);
            self.event_loop.get().read_with(py, self.descriptor(), receive)
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

    fn prepare(&mut self, py: Python<'_>, socket: &Socket) -> PyResult<()> {
        let size = size_of(self.size, "recvfrom")?;
        self.is_native = is_native(socket.family(py)) && size <= SCRATCH_SIZE;
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
        self.is_native = is_native(socket.family(py));
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
}
