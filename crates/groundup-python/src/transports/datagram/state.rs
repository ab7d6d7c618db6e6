//! What changes in the life of a datagram transport.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use super::backlog::Backlog;
use super::destination::Destination;
use super::senders::Senders;
use crate::transports::limits::FlowControl;

/// How long to wait before a datagram is tried again that its receiver had no room for.
const FIRST_RETRY: Duration = Duration::from_millis(1);
/// The longest such wait; each is twice as long as the one before.
const LAST_RETRY: Duration = Duration::from_millis(64);

/// What the next datagram waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Nothing: it would be tried at once.
    None,
    /// Until the socket is writable.
    Socket,
    /// Some time: the socket is writable, and yet its receiver has no room.
    Receiver,
}

/// See the module.
pub struct State {
    /// Absent once the transport is closed.
    pub socket: RefCell<Option<Py<PyAny>>>,
    pub protocol: RefCell<Option<Py<PyAny>>>,
    pub waiter: RefCell<Option<Py<PyAny>>>,
    pub backlog: RefCell<Backlog>,
    pub obstacle: Cell<Obstacle>,
    retry_delay: Cell<Duration>,
    pub flow: FlowControl,
    pub senders: Senders,
    /// The protocol has heard of the transport, so that receiving may begin.
    pub is_open: Cell<bool>,
    pub is_paused: Cell<bool>,
    pub is_closing: Cell<bool>,
    /// Once the end is certain: how often something was sent since, plus one.
    pub lost_count: Cell<u32>,
    pub lost_reason: RefCell<Option<PyErr>>,
}

impl State {
    pub fn new(py: Python<'_>, socket: Py<PyAny>, waiter: Py<PyAny>) -> Self {
        Self {
            socket: RefCell::new(Some(socket)),
            protocol: RefCell::default(),
            waiter: RefCell::new(Some(waiter)),
            backlog: RefCell::new(Backlog::new(py)),
            obstacle: Cell::new(Obstacle::None),
            retry_delay: Cell::new(FIRST_RETRY),
            flow: FlowControl::default(),
            senders: Senders::default(),
            is_open: Cell::default(),
            is_paused: Cell::default(),
            is_closing: Cell::default(),
            lost_count: Cell::default(),
            lost_reason: RefCell::default(),
        }
    }

    /// Whether datagrams that come are received.
    pub fn receives(&self) -> bool {
        self.is_open.get() && !self.is_paused.get() && !self.is_closing.get()
    }

    /// How long to wait this time before a datagram is tried again.
    pub fn next_retry(&self) -> Duration {
        let delay = self.retry_delay.get();
        self.retry_delay.set(LAST_RETRY.min(delay * 2));
        delay
    }

    /// A datagram could be sent: the next wait is short again.
    pub fn forget_retries(&self) {
        self.retry_delay.set(FIRST_RETRY);
    }

    /// Shows the garbage collector what is held here, but for the socket, which the collector would
    /// take apart before the transport could close it.
    pub fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        for cell in [&self.protocol, &self.waiter] {
            cell.try_borrow().map_or(Ok(()), |object| visit.call(&*object))?;
        }
        let Ok(backlog) = self.backlog.try_borrow() else { return Ok(()) };
        backlog.iter().try_for_each(|datagram| match &datagram.destination {
            Destination::Python(address) => visit.call(address),
            _ => Ok(()),
        })
    }

    pub fn clear(&self) {
        drop(self.protocol.take());
        drop(self.waiter.take());
    }
}
