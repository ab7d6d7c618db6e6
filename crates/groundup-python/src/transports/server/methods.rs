//! What Python code asks of a server: the methods of `asyncio.Server`.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::Server;
use crate::event_loop::EventLoop;
use crate::imports;
use crate::native_coroutine::{self, Goal, NativeCoroutine};
use crate::transports::StreamTransport;

#[pymethods]
impl Server {
    /// Stop listening; connections stay.
    pub(super) fn close(&self, py: Python<'_>) -> PyResult<()> {
        let state = self.state.get(py);
        let Some(sockets) = state.sockets.take() else { return Ok(()) };
        state.is_serving.set(false);
        self.close_sockets(py, sockets)?;
        for path in state.unix_paths.take() {
            path.remove(py)?;
        }
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

    #[getter]
    fn _sockets(&self, py: Python<'_>) -> Option<Vec<Py<PyAny>>> {
        self.state.get(py).sockets.borrow().clone()
    }

    #[getter]
    fn _loop(&self, py: Python<'_>) -> Py<EventLoop> {
        self.event_loop.clone_ref(py)
    }

    /// Futures for the end of it all; None when it has come.
    #[getter]
    fn _waiters(&self, py: Python<'_>) -> Option<Vec<Py<PyAny>>> {
        self.state.get(py).waiters.borrow().clone()
    }

    /// How many connections there are.
    #[getter]
    fn _active_count(&self, py: Python<'_>) -> usize {
        self.state.get(py).clients.borrow().len()
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

    /// Listen until it is cancelled; then close the server and its connections, and wait for them.
    fn serve_forever(slf: &Bound<'_, Self>) -> PyResult<Py<NativeCoroutine>> {
        let server = slf.clone().unbind();
        native_coroutine::new(slf.py(), "Server.serve_forever", async move |awaiter| {
            let forever = Python::attach(|py| Self::begin_forever(server.bind(py)))?;
            let outcome = awaiter.wait_for(Goal::Server, forever).await;
            let is_cancelled = Python::attach(|py| -> PyResult<bool> {
                drop(server.get().state.get(py).forever.take());
                let Err(error) = &outcome else { return Ok(false) };
                Ok(error.matches(py, imports::cancelled_error(py)?)?)
            })?;
            if is_cancelled {
                let end = Python::attach(|py| {
                    server.get().close(py)?;
                    server.get().close_clients(py)?;
                    server.get().end(py)
                })?;
                if let Some(end) = end {
                    awaiter.wait_for(Goal::Server, end).await?;
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
                Some(end) => awaiter.wait_for(Goal::Server, end).await,
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
