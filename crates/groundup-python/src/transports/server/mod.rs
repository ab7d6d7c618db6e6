//! A server: its listening sockets, and the connections they have brought.

mod methods;

use std::cell::{Cell, RefCell};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use slab::Slab;

use super::listener::Listener;
use super::stream::StreamTransport;
use super::tls::{TlsOptions, TlsProtocol};
use super::unix_path::UnixPath;
use crate::event_loop::{EventLoop, descriptor_of};
use crate::ffi;
use crate::gil::GilBound;

/// What create_server returns; stands for `asyncio.Server`.
#[pyclass(frozen, weakref, dict, module = "groundup._groundup")]
pub struct Server {
    event_loop: Py<EventLoop>,
    protocol_factory: Py<PyAny>,
    backlog: i32,
    /// Absent for connections without TLS.
    tls: Option<TlsOptions>,
    state: GilBound<State>,
}

struct State {
    /// Absent once the server is closed.
    sockets: RefCell<Option<Vec<Py<PyAny>>>>,
    is_serving: Cell<bool>,
    clients: RefCell<Slab<Py<StreamTransport>>>,
    /// Futures for the end of it all; absent when it has come.
    waiters: RefCell<Option<Vec<Py<PyAny>>>>,
    /// What serve_forever() waits for.
    forever: RefCell<Option<Py<PyAny>>>,
    /// What is to be removed with the sockets.
    unix_paths: RefCell<Vec<UnixPath>>,
}

impl Server {
    /// A server on bound sockets, which does not listen yet.
    ///
    /// # Errors
    ///
    /// Those of making the sockets non-blocking.
    pub fn new(
        event_loop: &Bound<'_, EventLoop>,
        protocol_factory: Py<PyAny>,
        sockets: Vec<Py<PyAny>>,
        backlog: i32,
        tls: Option<TlsOptions>,
    ) -> PyResult<Py<Self>> {
        let py = event_loop.py();
        for socket in &sockets {
            socket.call_method1(py, "setblocking", (false,))?;
        }
        let state = State {
            sockets: RefCell::new(Some(sockets)),
            is_serving: Cell::new(false),
            clients: RefCell::default(),
            waiters: RefCell::new(Some(Vec::new())),
            forever: RefCell::default(),
            unix_paths: RefCell::default(),
        };
        let (event_loop, state) = (event_loop.clone().unbind(), GilBound::new(state));
        ffi::create(py, Self { event_loop, protocol_factory, backlog, tls, state })
            .map(Bound::unbind)
    }

    /// Has the path of a Unix socket removed when the server is closed.
    pub fn remove_when_closed(&self, py: Python<'_>, path: UnixPath) {
        self.state.get(py).unix_paths.borrow_mut().push(path);
    }

    /// How many connections may wait to be accepted.
    pub fn backlog(&self) -> i32 {
        self.backlog
    }

    /// A protocol for a new connection; with TLS, one that stands before the application's.
    ///
    /// # Errors
    ///
    /// What the factory or the TLS context raises.
    pub fn make_protocol<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let protocol = self.protocol_factory.bind(py).call0()?;
        match &self.tls {
            None => Ok(protocol),
            Some(options) => {
                let event_loop = self.event_loop.bind(py);
                TlsProtocol::begin(event_loop, options, protocol, None, false).map(Bound::into_any)
            }
        }
    }

    /// Whether it still listens on one of its sockets.
    pub fn listens_on(&self, py: Python<'_>, socket: &Py<PyAny>) -> bool {
        let sockets = self.state.get(py).sockets.borrow();
        sockets.iter().flatten().any(|listening| listening.is(socket))
    }

    /// Enters a connection and gives its place.
    pub fn attach(&self, py: Python<'_>, client: Py<StreamTransport>) -> usize {
        self.state.get(py).clients.borrow_mut().insert(client)
    }

    /// Takes a connection out that is lost.
    ///
    /// # Errors
    ///
    /// Those of futures that cannot be settled.
    pub fn detach(&self, py: Python<'_>, place: usize) -> PyResult<()> {
        let client = self.state.get(py).clients.borrow_mut().try_remove(place);
        drop(client);
        self.wake_if_over(py)
    }

    /// Starts to listen, if it does not; where it cannot, it is closed.
    ///
    /// # Errors
    ///
    /// Those of `listen`; `RuntimeError` on a closed server.
    pub fn start(server: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (server.py(), server.get());
        let state = this.state.get(py);
        if state.is_serving.get() {
            return Ok(());
        }
        let Some(sockets) = state.sockets.borrow().clone() else {
            return Err(closed_server(server));
        };
        state.is_serving.set(true);
        let event_loop = this.event_loop.bind(py);
        let outcome = sockets.iter().try_for_each(|socket| {
            Listener::listen(event_loop, server, socket.bind(py), this.backlog)
        });
        if outcome.is_err() {
            this.close(py)?;
        }
        outcome
    }

    fn wake_if_over(&self, py: Python<'_>) -> PyResult<()> {
        let state = self.state.get(py);
        if state.sockets.borrow().is_some() || !state.clients.borrow().is_empty() {
            return Ok(());
        }
        for waiter in state.waiters.take().into_iter().flatten() {
            if !waiter.call_method0(py, "done")?.is_truthy(py)? {
                waiter.call_method1(py, "set_result", (py.None(),))?;
            }
        }
        Ok(())
    }

    fn clients(&self, py: Python<'_>) -> Vec<Py<StreamTransport>> {
        self.state.get(py).clients.borrow().iter().map(|(_, client)| client.clone_ref(py)).collect()
    }

    fn close_sockets(&self, py: Python<'_>, sockets: Vec<Py<PyAny>>) -> PyResult<()> {
        for socket in sockets {
            let socket = socket.bind(py);
            if let Ok(descriptor) = descriptor_of(socket) {
                let fd = ffi::borrow_descriptor(descriptor);
                drop(self.event_loop.get().core(py).unwatch(fd));
                self.event_loop.get().tell_close(py, descriptor);
            }
            socket.call_method0("close")?;
        }
        Ok(())
    }

    /// A future that is settled when the server is closed and its connections are lost; none if
    /// that has come already. Before Python 3.12 nobody waits for the connections of a closed server.
    fn end(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let state = self.state.get(py);
        if py.version_info() < (3, 12) && state.sockets.borrow().is_none() {
            return Ok(None);
        }
        let mut waiters = state.waiters.borrow_mut();
        let Some(waiters) = &mut *waiters else { return Ok(None) };
        let waiter = EventLoop::create_future(self.event_loop.bind(py))?.unbind();
        waiters.push(waiter.clone_ref(py));
        Ok(Some(waiter))
    }

    fn begin_forever(server: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let (py, this) = (server.py(), server.get());
        let state = this.state.get(py);
        if state.forever.borrow().is_some() {
            let repr = server.repr()?;
            let message = format!("server {repr} is already being awaited on serve_forever()");
            return Err(PyRuntimeError::new_err(message));
        }
        if state.sockets.borrow().is_none() {
            return Err(closed_server(server));
        }
        Self::start(server)?;
        let forever = EventLoop::create_future(this.event_loop.bind(py))?.unbind();
        state.forever.replace(Some(forever.clone_ref(py)));
        Ok(forever)
    }
}

fn closed_server(server: &Bound<'_, Server>) -> PyErr {
    match server.repr() {
        Ok(repr) => PyRuntimeError::new_err(format!("server {repr} is closed")),
        Err(error) => error,
    }
}
