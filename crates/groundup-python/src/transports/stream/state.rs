//! What changes in the life of a stream.

use std::cell::{Cell, RefCell};
use std::os::fd::BorrowedFd;

use groundup::poller::Readiness;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::socket::StreamSocket;
use super::write_buffer::WriteBuffer;
use crate::streams::ReaderState;
use crate::transports::address::Address;
use crate::transports::limits::FlowControl;
use crate::transports::server::Server;

/// What changes in the life of a stream.
pub struct State {
    /// Absent once the connection is lost.
    pub socket: RefCell<Option<StreamSocket>>,
    pub protocol: RefCell<Option<Py<PyAny>>>,
    /// Whether the protocol is an `asyncio.BufferedProtocol`.
    pub is_buffered: Cell<bool>,
    /// What arrives is fed to this, where asyncio's protocol would feed it to its reader.
    pub reader: RefCell<Option<Py<ReaderState>>>,
    /// How much the next read may bring, as the last did, in bytes.
    pub expected: Cell<usize>,
    pub sockname: Address,
    pub peername: Address,
    /// What get_extra_info gives, once it was asked for.
    pub extra: RefCell<Option<Py<PyDict>>>,
    pub server: RefCell<Option<(Py<Server>, usize)>>,
    pub waiter: RefCell<Option<Py<PyAny>>>,
    pub buffer: RefCell<WriteBuffer>,
    pub flow: FlowControl,
    /// The protocol has heard of the connection, so that reading may begin.
    pub is_open: Cell<bool>,
    /// What the loop was told to watch for.
    pub interest: Cell<Readiness>,
    pub is_paused: Cell<bool>,
    pub is_closing: Cell<bool>,
    pub got_eof: Cell<bool>,
    pub wrote_eof: Cell<bool>,
    /// The kernel took no more; the rest is written when the socket is writable.
    pub is_blocked: Cell<bool>,
    pub awaits_flush: Cell<bool>,
    /// A file is being sent, before which nothing else may be written.
    pub is_sending_file: Cell<bool>,
    /// A future for when the kernel takes more of the file.
    pub file_waiter: RefCell<Option<Py<PyAny>>>,
    /// Once the loss of the connection is certain: how often it was written to since, plus one.
    pub lost_count: Cell<u32>,
    pub lost_reason: RefCell<Option<PyErr>>,
}

impl State {
    pub fn new(
        fd: BorrowedFd<'_>,
        socket: StreamSocket,
        peername: Option<Address>,
        waiter: Option<Py<PyAny>>,
    ) -> Self {
        Self {
            socket: RefCell::new(Some(socket)),
            protocol: RefCell::default(),
            is_buffered: Cell::default(),
            reader: RefCell::default(),
            expected: Cell::default(),
            sockname: Address::of_socket(fd),
            peername: peername.unwrap_or_else(|| Address::of_peer(fd)),
            extra: RefCell::default(),
            server: RefCell::default(),
            waiter: RefCell::new(waiter),
            buffer: RefCell::default(),
            flow: FlowControl::default(),
            is_open: Cell::default(),
            interest: Cell::default(),
            is_paused: Cell::default(),
            is_closing: Cell::default(),
            got_eof: Cell::default(),
            wrote_eof: Cell::default(),
            is_blocked: Cell::default(),
            awaits_flush: Cell::default(),
            is_sending_file: Cell::default(),
            file_waiter: RefCell::default(),
            lost_count: Cell::default(),
            lost_reason: RefCell::default(),
        }
    }

    /// Whether the kernel may take what is written now: nothing is before it, and nothing against it.
    pub fn takes_at_once(&self) -> bool {
        let refuses = self.wrote_eof.get() || self.is_sending_file.get();
        let is_free = self.buffer.borrow().is_empty() && !self.is_blocked.get();
        !refuses && is_free && self.lost_count.get() == 0
    }
}
