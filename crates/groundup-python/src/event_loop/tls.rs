//! TLS for connections and servers, from the start or in the middle.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes};

use super::EventLoop;
use crate::imports;
use crate::native_coroutine::{self, Awaiter, NativeCoroutine};
use crate::transports::{TlsOptions, TlsProtocol};

/// The arguments about TLS that methods have in common.
pub struct TlsArguments {
    pub ssl: Option<Py<PyAny>>,
    pub server_hostname: Option<Py<PyAny>>,
    pub handshake_timeout: Option<Py<PyAny>>,
    pub shutdown_timeout: Option<Py<PyAny>>,
}

impl TlsArguments {
    /// What a client asks for; none without TLS.
    ///
    /// # Errors
    ///
    /// `ValueError` for arguments that go with TLS only, and for TLS without a name to check.
    pub fn for_client(
        self,
        py: Python<'_>,
        host: Option<&Py<PyAny>>,
    ) -> PyResult<Option<TlsOptions>> {
        let ssl = self.ssl.as_ref().map(|ssl| ssl.bind(py));
        let wanted = ssl.map_or(Ok(false), |ssl| ssl.is_truthy())?;
        if self.server_hostname.is_some() && !wanted {
            return Err(PyValueError::new_err("server_hostname is only meaningful with ssl"));
        }
        self.check_timeouts(wanted)?;
        let Some(ssl) = ssl.filter(|_| wanted) else { return Ok(None) };
        let host = host.filter(|host| host.is_truthy(py).unwrap_or(true));
        let server_hostname = match (&self.server_hostname, host) {
            (Some(name), _) => name.clone_ref(py),
            (None, Some(host)) => host.clone_ref(py),
            (None, None) => {
                let message = "You must set server_hostname when using ssl without a host";
                return Err(PyValueError::new_err(message));
            }
        };
        let context = client_context(ssl, server_hostname.bind(py))?;
        Ok(Some(self.options(context, Some(server_hostname), false)))
    }

    /// What a server asks for; none without TLS.
    ///
    /// # Errors
    ///
    /// `TypeError` for a bool in place of a context; `ValueError` for timeouts without TLS.
    pub fn for_server(self, py: Python<'_>) -> PyResult<Option<TlsOptions>> {
        let Some(ssl) = self.ssl.as_ref().map(|ssl| ssl.clone_ref(py)) else {
            return self.check_timeouts(false).map(|()| None);
        };
        if ssl.bind(py).is_instance_of::<PyBool>() {
            return Err(PyTypeError::new_err("ssl argument must be an SSLContext or None"));
        }
        if !ssl.is_truthy(py)? {
            return Ok(None);
        }
        Ok(Some(self.options(ssl, None, true)))
    }

    fn check_timeouts(&self, wanted: bool) -> PyResult<()> {
        let given = [
            ("ssl_handshake_timeout", &self.handshake_timeout),
            ("ssl_shutdown_timeout", &self.shutdown_timeout),
        ];
        match given.iter().find(|(_, timeout)| timeout.is_some() && !wanted) {
            Some((name, _)) => {
                Err(PyValueError::new_err(format!("{name} is only meaningful with ssl")))
            }
            None => Ok(()),
        }
    }

    fn options(
        self,
        context: Py<PyAny>,
        server_hostname: Option<Py<PyAny>>,
        server_side: bool,
    ) -> TlsOptions {
        TlsOptions {
            context,
            server_side,
            server_hostname,
            handshake_timeout: self.handshake_timeout,
            shutdown_timeout: self.shutdown_timeout,
        }
    }
}

/// The caller's context, or the default one for `ssl=True`, which checks the name if there is one.
fn client_context(
    ssl: &Bound<'_, PyAny>,
    server_hostname: &Bound<'_, PyAny>,
) -> PyResult<Py<PyAny>> {
    if !ssl.is_instance_of::<PyBool>() {
        return Ok(ssl.clone().unbind());
    }
    let context = ssl.py().import("ssl")?.call_method0("create_default_context")?;
    if !server_hostname.is_truthy()? {
        context.setattr("check_hostname", false)?;
    }
    Ok(context.unbind())
}

/// Takes what a stream has read of a client that did not wait for the server to start TLS.
fn take_early_data<'py>(protocol: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let py = protocol.py();
    if !protocol.is_instance(imports::stream_reader_protocol(py)?)? {
        return Ok(None);
    }
    let reader = protocol.getattr(intern!(py, "_stream_reader"))?;
    if reader.is_none() {
        return Ok(None);
    }
    let buffer = reader.getattr(intern!(py, "_buffer"))?.cast_into::<PyByteArray>()?;
    let early = PyBytes::new(py, &buffer.to_vec());
    buffer.resize(0)?;
    Ok(Some(early))
}

/// Puts TLS between a transport and its protocol, and waits for the handshake.
async fn upgrade(
    awaiter: &Awaiter,
    event_loop: &Py<EventLoop>,
    transport: &Py<PyAny>,
    protocol: Py<PyAny>,
    options: TlsOptions,
) -> PyResult<Py<PyAny>> {
    let (tls, waiter, callbacks) = Python::attach(|py| {
        let event_loop = event_loop.bind(py);
        let (transport, protocol) = (transport.bind(py), protocol.into_bound(py));
        let waiter = EventLoop::create_future(event_loop)?.unbind();
        let waiting = Some(waiter.clone_ref(py));
        let early = options.server_side.then(|| take_early_data(&protocol)).transpose()?.flatten();
        let tls = TlsProtocol::begin(event_loop, &options, protocol, waiting, true)?;
        early.map_or(Ok(()), |early| tls.get().feed(py, &early))?;
        // Nothing may arrive before TLS has heard of the transport.
        transport.call_method0(intern!(py, "pause_reading"))?;
        transport.call_method1(intern!(py, "set_protocol"), (&tls,))?;
        let call_soon = event_loop.getattr(intern!(py, "call_soon"))?;
        let made = call_soon.call1((tls.getattr("connection_made")?, transport))?;
        let resume = call_soon.call1((transport.getattr("resume_reading")?,))?;
        PyResult::Ok((tls.unbind(), waiter, [made.unbind(), resume.unbind()]))
    })?;
    let outcome = awaiter.wait(waiter).await;
    Python::attach(|py| match outcome {
        Ok(_) => Ok(tls.get().app_transport(py).into_pyobject(py)?.unbind()),
        Err(error) => {
            transport.call_method0(py, "close")?;
            for callback in callbacks {
                callback.call_method0(py, "cancel")?;
            }
            Err(error)
        }
    })
}

#[pymethods]
impl EventLoop {
    /// Put TLS between a transport and its protocol; return the transport that the protocol is to use
    /// from here on.
    ///
    /// Raise TypeError if sslcontext is no ssl.SSLContext or the transport cannot be upgraded,
    /// ssl.SSLError if the handshake fails, ConnectionAbortedError if it takes too long.
    #[pyo3(signature = (
        transport, protocol, sslcontext, *, server_side=false, server_hostname=None,
        ssl_handshake_timeout=None, ssl_shutdown_timeout=None,
    ))]
    fn start_tls(
        slf: &Bound<'_, Self>,
        transport: Py<PyAny>,
        protocol: Py<PyAny>,
        sslcontext: Py<PyAny>,
        server_side: bool,
        server_hostname: Option<Py<PyAny>>,
        ssl_handshake_timeout: Option<Py<PyAny>>,
        ssl_shutdown_timeout: Option<Py<PyAny>>,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        native_coroutine::new(py, "EventLoop.start_tls", async move |awaiter| {
            Python::attach(|py| check_upgrade(transport.bind(py), sslcontext.bind(py)))?;
            let options = TlsOptions {
                context: sslcontext,
                server_side,
                server_hostname,
                handshake_timeout: ssl_handshake_timeout,
                shutdown_timeout: ssl_shutdown_timeout,
            };
            upgrade(&awaiter, &event_loop, &transport, protocol, options).await
        })
    }
}

fn check_upgrade(transport: &Bound<'_, PyAny>, context: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = transport.py();
    if !context.is_instance(imports::ssl_context(py)?)? {
        let repr = context.repr()?;
        let message =
            format!("sslcontext is expected to be an instance of ssl.SSLContext, got {repr}");
        return Err(PyTypeError::new_err(message));
    }
    let compatible = transport.getattr_opt(intern!(py, "_start_tls_compatible"))?;
    if !compatible.map_or(Ok(false), |compatible| compatible.is_truthy())? {
        let repr = transport.repr()?;
        let message = format!("transport {repr} is not supported by start_tls()");
        return Err(PyTypeError::new_err(message));
    }
    Ok(())
}
