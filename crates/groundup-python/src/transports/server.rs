//! A server: its listening sockets, and the connections they have brought.

use std::cell::{Cell, RefCell};

use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use slab::Slab;

use super::listener::Listener;
use super::stream::StreamTransport;
use crate::event_loop::{EventLoop, descriptor_of};
use crate::gil::GilBound;
use crate::native_coroutine::{self, NativeCoroutine};
use crate::{ffi, imports};

/// What create_server returns; stands for `asyncio.Server`.
#[pyclass(frozen, weakref, module = "groundup._groundup")]
pub struct Server {
    event_loop: Py<EventLoop>,
    protocol_factory: Py<PyAny>,
    backlog: i32,
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
}

impl Server {
    /// A server on bound sockets, which does not listen yet.
    pub fn new(
        event_loop: &Bound<'_, EventLoop>,
        protocol_factory: Py<PyAny>,
        sockets: Vec<Py<PyAny>>,
        backlog: i32,
    ) -> Self {
        let state = State {
            sockets: RefCell::new(Some(sockets)),
            is_serving: Cell::new(false),
            clients: RefCell::default(),
            waiters: RefCell::new(Some(Vec::new())),
            forever: RefCell::default(),
        };
        let event_loop = event_loop.clone().unbind();
        Self { event_loop, protocol_factory, backlog, state: GilBound::new(state) }
    }

    /// How many connections may wait to be accepted.
    pub fn backlog(&self) -> i32 {
        self.backlog
    }

    /// A protocol for a new connection.
    pub fn make_protocol<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.protocol_factory.bind(py).call0()
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
            }
            socket.call_method0("close")?;
        }
        Ok(())
    }

    /// A future that is settled when the server is closed and its connections are lost; none if
    /// that has come already.
    fn end(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let mut waiters = self.state.get(py).waiters.borrow_mut();
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

#[pymethods]
impl Server {
    /// Stop listening; connections stay.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let state = self.state.get(py);
        let Some(sockets) = state.sockets.take() else { return Ok(()) };
        state.is_serving.set(false);
        self.close_sockets(py, sockets)?;
        if let Some(forever) = state.forever.take() {
            forever.call_method0(py, "cancel")?;
        }
        self.wake_if_over(py)
    }

    /// Close all connections, when what they are writing is written.
    fn close_clients(&self, py: Python<'_>) -> PyResult<()> {
        let mut clients = self.clients(py).into_iter();
        clients.try_for_each(|client| StreamTransport::close_stream(client.bind(py)))
    }

    /// Close all connections at once.
    fn abort_clients(&self, py: Python<'_>) -> PyResult<()> {
        let mut clients = self.clients(py).into_iter();
        clients.try_for_each(|client| StreamTransport::abort_stream(client.bind(py), None))
    }

    /// Return the loop.
    fn get_loop(&self, py: Python<'_>) -> Py<EventLoop> {
        self.event_loop.clone_ref(py)
    }

    /// Return True while the server listens.
    fn is_serving(&self, py: Python<'_>) -> bool {
        self.state.get(py).is_serving.get()
    }

    /// The listening sockets, as asyncio.trsock.TransportSocket objects; none once it is closed.
    #[getter]
    fn sockets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let sockets = self.state.get(py).sockets.borrow().clone().unwrap_or_default();
        let class = imports::transport_socket(py)?;
        let wrapped: Vec<_> =
            sockets.iter().map(|socket| class.call1((socket,))).collect::<PyResult<_>>()?;
        PyTuple::new(py, wrapped)
    }

    /// Start to listen; nothing happens if the server listens already.
    fn start_serving(slf: &Bound<'_, Self>) -> PyResult<Py<NativeCoroutine>> {
        let server = slf.clone().unbind();
        native_coroutine::new(slf.py(), "Server.start_serving", async move |awaiter| {
            Python::attach(|py| Self::start(server.bind(py)))?;
            awaiter.give_way().await?;
            Ok(Python::attach(|py| py.None()))
        })
    }

    /// Listen until it is cancelled; then close the server and wait for its connections.
    fn serve_forever(slf: &Bound<'_, Self>) -> PyResult<Py<NativeCoroutine>> {
        let server = slf.clone().unbind();
        native_coroutine::new(slf.py(), "Server.serve_forever", async move |awaiter| {
            let forever = Python::attach(|py| Self::begin_forever(server.bind(py)))?;
            let outcome = awaiter.wait(forever).await;
            let is_cancelled = Python::attach(|py| -> PyResult<bool> {
                drop(server.get().state.get(py).forever.take());
                let Err(error) = &outcome else { return Ok(false) };
                Ok(error.matches(py, imports::cancelled_error(py)?)?)
            })?;
            if is_cancelled {
                let end = Python::attach(|py| {
                    server.get().close(py)?;
                    server.get().end(py)
                })?;
                if let Some(end) = end {
                    awaiter.wait(end).await?;
                }
            }
            outcome
        })
    }

    /// Wait until the server is closed and all its connections are lost.
    fn wait_closed(slf: &Bound<'_, Self>) -> PyResult<Py<NativeCoroutine>> {
        let server = slf.clone().unbind();
        native_coroutine::new(slf.py(), "Server.wait_closed", async move |awaiter| {
            match Python::attach(|py| server.get().end(py))? {
                Some(end) => awaiter.wait(end).await,
                None => Ok(Python::attach(|py| py.None())),
            }
        })
    }

    /// Return the server, which closes when the `async with` block ends.
    fn __aenter__(slf: &Bound<'_, Self>) -> PyResult<Py<NativeCoroutine>> {
        let server = slf.clone().unbind();
        let name = "Server.__aenter__";
        native_coroutine::new(slf.py(), name, async move |_| Ok(server.into_any()))
    }

    #[pyo3(signature = (*_exception))]
    fn __aexit__(
        slf: &Bound<'_, Self>,
        _exception: &Bound<'_, PyTuple>,
    ) -> PyResult<Py<NativeCoroutine>> {
        slf.get().close(slf.py())?;
        Self::wait_closed(slf)
    }

    /// What `isinstance` goes by.
    #[getter]
    fn __class__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        imports::asyncio_server(py).map(|class| class.clone().unbind())
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        Ok(format!("<Server sockets={}>", slf.get().sockets(slf.py())?.repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let state = self.state.visit();
        visit.call(&self.event_loop)?;
        visit.call(&self.protocol_factory)?;
        if let Ok(sockets) = state.sockets.try_borrow() {
            sockets.iter().flatten().try_for_each(|socket| visit.call(socket))?;
        }
        if let Ok(clients) = state.clients.try_borrow() {
            clients.iter().try_for_each(|(_, client)| visit.call(client))?;
        }
        if let Ok(waiters) = state.waiters.try_borrow() {
            waiters.iter().flatten().try_for_each(|waiter| visit.call(waiter))?;
        }
        state.forever.try_borrow().map_or(Ok(()), |forever| visit.call(&*forever))
    }

    fn __clear__(&self) {
        let state = self.state.visit();
        drop(state.sockets.take());
        drop(state.clients.take());
        drop(state.waiters.take());
        drop(state.forever.take());
    }
}

fn closed_server(server: &Bound<'_, Server>) -> PyErr {
    match server.repr() {
        Ok(repr) => PyRuntimeError::new_err(format!("server {repr} is closed")),
        Err(error) => error,
    }
}
