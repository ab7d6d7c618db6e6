//! The sock_ method that sends datagrams: at once, where the system takes them; only what has to wait
//! becomes a block that waits.

use std::mem;
use std::time::Duration;

use groundup::coroutine::Step;
use pyo3::buffer::PyUntypedBuffer;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use rustix::net::AddressFamily;

use super::EventLoop;
use super::socket::{Attempt, Socket, unless_blocked, unless_would_block};
use crate::coroutine::Resume;
use crate::native_coroutine::{self, Awaiter, Body, Goal, NativeCoroutine, NativeStep, Operation};
use crate::transports::Destination;
use crate::{ffi, imports};

/// How long to wait between attempts to send to a receiver that has no room, first and at most.
const RETRIES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(64)];

/// Sending a datagram.
enum SendTo {
    /// Not tried yet: the socket, the data and the address.
    Untried(Socket, Py<PyAny>, Py<PyAny>),
    /// Tried in vain.
    Waiting(Body),
    Done,
}

/// A datagram, and where it goes.
struct Datagram {
    socket: Socket,
    data: Py<PyAny>,
    buffer: PyUntypedBuffer,
    destination: Destination,
}

impl Datagram {
    /// # Errors
    ///
    /// Those of checking the socket; `TypeError` for data that has no buffer.
    fn new(
        py: Python<'_>,
        mut socket: Socket,
        data: Py<PyAny>,
        address: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        socket.check(py)?;
        let buffer = PyUntypedBuffer::get(data.bind(py))?;
        let destination = socket.destination(address);
        Ok(Self { socket, data, buffer, destination })
    }

    /// Sends it: how many bytes.
    fn send(&self, py: Python<'_>) -> Attempt<Py<PyAny>> {
        let fd = ffi::borrow_descriptor(self.socket.descriptor());
        let sent = ffi::with_bytes(&self.buffer, |bytes| {
            let send = || self.destination.send(fd, bytes).transpose();
            self.socket.event_loop.get().write_with(py, self.socket.descriptor(), send)
        })?;
        let sent = match sent.transpose() {
            Some(outcome) => unless_would_block(outcome),
            None => {
                let (socket, data) = (self.socket.socket.bind(py), self.data.bind(py));
                unless_blocked(self.destination.send_by_socket(socket, data))
            }
        }?;
        sent.map(|length| Ok(length.into_pyobject(py)?.into_any().unbind())).transpose()
    }

    /// Sends it as soon as the system takes it.
    async fn wait_and_send(self, awaiter: Awaiter) -> PyResult<Py<PyAny>> {
        for attempts in 0.. {
            self.wait(&awaiter, attempts).await?;
            if let Some(length) = Python::attach(|py| self.send(py))? {
                return Ok(length);
            }
        }
        unreachable!("the attempts do not end")
    }

    /// Waits until it is worth trying to send again.
    ///
    /// The queue of a receiver of Unix datagrams may be full while the socket stays writable: after
    /// a wait that was in vain, time has to pass as well.
    async fn wait(&self, awaiter: &Awaiter, attempts: u32) -> PyResult<()> {
        self.socket.wait_writable(awaiter).await?;
        let Some(doublings) = attempts.checked_sub(1) else { return Ok(()) };
        let delay = RETRIES[1].min(RETRIES[0].saturating_mul(1 << doublings.min(16)));
        let pause = Python::attach(|py| {
            imports::sleep(py)?.call1((delay.as_secs_f64(),)).map(Bound::unbind)
        })?;
        awaiter.wait(pause).await.map(drop)
    }
}

impl Socket {
    /// What an address means to it; often it is whom the last datagram came from.
    fn destination(&self, address: &Bound<'_, PyAny>) -> Destination {
        let family = self.family(address.py());
        let last = self.event_loop.get().senders(address.py()).last_if(address);
        match last.filter(|last| last.is_ipv4() && family == AddressFamily::INET) {
            Some(last) => Destination::Internet(last),
            None => Destination::of(family, address),
        }
    }
}

impl SendTo {
    fn begin(
        py: Python<'_>,
        socket: Socket,
        data: Py<PyAny>,
        address: &Py<PyAny>,
    ) -> PyResult<Result<Py<PyAny>, Body>> {
        let datagram = Datagram::new(py, socket, data, address.bind(py))?;
        Ok(match datagram.send(py)? {
            Some(length) => Ok(length),
            None => Err(Body::of_block(|awaiter| datagram.wait_and_send(awaiter))),
        })
    }
}

impl Operation for SendTo {
    fn resume(&mut self, py: Python<'_>, input: Resume) -> NativeStep {
        let mut body = match mem::replace(self, Self::Done) {
            Self::Untried(socket, data, address) => match Self::begin(py, socket, data, &address) {
                Ok(Ok(length)) => return Step::Returned(Ok(length)),
                Ok(Err(body)) => body,
                Err(error) => return Step::Returned(Err(error)),
            },
            Self::Waiting(body) => body,
            Self::Done => unreachable!("a coroutine does not go on after its end"),
        };
        let step = body.resume(py, input);
        *self = Self::Waiting(body);
        step
    }

    fn awaited(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        match self {
            Self::Waiting(body) => body.awaited(py),
            _ => None,
        }
    }

    fn goal(&self) -> Option<Goal> {
        match self {
            Self::Waiting(body) => body.goal(),
            _ => None,
        }
    }

    fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Untried(socket, data, address) => {
                visit.call(&socket.event_loop)?;
                visit.call(&socket.socket)?;
                visit.call(data)?;
                visit.call(address)
            }
            Self::Waiting(body) => body.traverse(visit),
            Self::Done => Ok(()),
        }
    }
}

#[pymethods]
impl EventLoop {
    /// Send a datagram to an address, from a non-blocking socket; return how many bytes were sent.
    fn sock_sendto(
        slf: &Bound<'_, Self>,
        sock: Py<PyAny>,
        data: Py<PyAny>,
        address: Py<PyAny>,
    ) -> PyResult<Py<NativeCoroutine>> {
        let socket = Socket::unchecked(slf.clone().unbind(), sock);
        let operation = SendTo::Untried(socket, data, address);
        native_coroutine::of_operation(slf.py(), "EventLoop.sock_sendto", operation)
    }
}
