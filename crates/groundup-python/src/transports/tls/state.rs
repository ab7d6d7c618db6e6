//! What changes in the life of a TLS connection.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::TlsTransport;
use crate::streams::ReaderState;

/// When the application is asked to pause, in bytes of its own.
const WRITE_HIGH_WATER: usize = 512 * 1024;
/// When the lower transport is asked to pause, in bytes that are not yet decrypted.
const READ_HIGH_WATER: usize = 256 * 1024;

/// What the session is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Unwrapped,
    Handshake,
    Wrapped,
    /// The application has closed; what was written before goes out.
    Flushing,
    /// Close notifications are exchanged.
    Shutdown,
}

/// What the application's protocol has heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppPhase {
    Nothing,
    Connected,
    GotEof,
    Lost,
}

/// A low and a high limit, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub low: usize,
    pub high: usize,
}

impl Limits {
    const fn below(high: usize) -> Self {
        Self { low: high / 4, high }
    }
}

/// See the module.
pub struct State {
    pub phase: Cell<Phase>,
    pub app_phase: Cell<AppPhase>,
    pub app_protocol: RefCell<Option<Py<PyAny>>>,
    /// What is decrypted is fed to this, where asyncio's protocol would feed it to its reader.
    pub reader: RefCell<Option<Py<ReaderState>>>,
    pub is_app_buffered: Cell<bool>,
    pub app_transport: RefCell<Option<Py<TlsTransport>>>,
    /// The transport below; absent before and after the connection.
    pub lower: RefCell<Option<Py<PyAny>>>,
    pub waiter: RefCell<Option<Py<PyAny>>>,
    pub extra: Py<PyDict>,
    /// What the application wrote and the session has not encrypted yet.
    pub backlog: RefCell<VecDeque<Py<PyBytes>>>,
    pub backlog_len: Cell<usize>,
    pub got_lower_eof: Cell<bool>,
    pub is_lower_full: Cell<bool>,
    pub is_lower_paused: Cell<bool>,
    pub is_app_paused: Cell<bool>,
    pub is_app_reading_paused: Cell<bool>,
    pub write_limits: Cell<Limits>,
    pub read_limits: Cell<Limits>,
    pub handshake_timer: RefCell<Option<Py<PyAny>>>,
    pub shutdown_timer: RefCell<Option<Py<PyAny>>>,
    pub handshake_began: Cell<f64>,
    /// How often a lost connection was written to.
    pub lost_count: Cell<u32>,
}

impl State {
    pub fn new(extra: Py<PyDict>, waiter: Option<Py<PyAny>>, is_upgrade: bool) -> Self {
        let app_phase = if is_upgrade { AppPhase::Connected } else { AppPhase::Nothing };
        Self {
            phase: Cell::new(Phase::Unwrapped),
            app_phase: Cell::new(app_phase),
            app_protocol: RefCell::default(),
            reader: RefCell::default(),
            is_app_buffered: Cell::default(),
            app_transport: RefCell::default(),
            lower: RefCell::default(),
            waiter: RefCell::new(waiter),
            extra,
            backlog: RefCell::default(),
            backlog_len: Cell::default(),
            got_lower_eof: Cell::default(),
            is_lower_full: Cell::default(),
            is_lower_paused: Cell::default(),
            is_app_paused: Cell::default(),
            is_app_reading_paused: Cell::default(),
            write_limits: Cell::new(Limits::below(WRITE_HIGH_WATER)),
            read_limits: Cell::new(Limits::below(READ_HIGH_WATER)),
            handshake_timer: RefCell::default(),
            shutdown_timer: RefCell::default(),
            handshake_began: Cell::default(),
            lost_count: Cell::default(),
        }
    }

    /// Whether the session is over, or being ended.
    pub fn is_ending(&self) -> bool {
        matches!(self.phase.get(), Phase::Flushing | Phase::Shutdown | Phase::Unwrapped)
    }

    pub fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.extra)?;
        self.app_transport.try_borrow().map_or(Ok(()), |object| visit.call(&*object))?;
        self.reader.try_borrow().map_or(Ok(()), |reader| visit.call(&*reader))?;
        for cell in [&self.app_protocol, &self.lower, &self.waiter] {
            cell.try_borrow().map_or(Ok(()), |object| visit.call(&*object))?;
        }
        Ok(())
    }

    pub fn clear(&self) {
        drop(self.app_transport.take());
        drop(self.reader.take());
        for cell in [&self.app_protocol, &self.lower, &self.waiter] {
            drop(cell.take());
        }
    }
}
