//! Connecting a socket of the program's own.

use pyo3::intern;
use pyo3::prelude::*;
use rustix::io::Errno;
use rustix::net::AddressFamily;

use super::EventLoop;
use super::resolver::{self, AddressInfo, Hints};
use super::socket::{Socket, unless_blocked};
use crate::native_coroutine::Awaiter;
use crate::{errors, ffi};

/// Connects a socket to an address, which is resolved if it names an internet host.
///
/// # Errors
///
/// Those of getaddrinfo and of `connect`.
pub async fn connect(
    awaiter: &Awaiter,
    event_loop: &Py<EventLoop>,
    socket: &Py<PyAny>,
    address: &Py<PyAny>,
) -> PyResult<()> {
    let checked = Socket::checked(event_loop, socket)?;
    let hints = Python::attach(|py| hints_of(socket.bind(py)))?;
    let internet = [AddressFamily::INET, AddressFamily::INET6];
    if !internet.iter().any(|family| i32::from(family.as_raw()) == hints.family) {
        return connect_to(&checked, awaiter, address).await;
    }
    let infos = resolver::resolve(awaiter, event_loop, address, hints).await?;
    let first = infos.into_iter().next();
    let address = Python::attach(|py| match first {
        Some(info) => info.extract::<AddressInfo>(py).map(|info| info.address),
        None => Ok(address.clone_ref(py)),
    })?;
    connect_to(&checked, awaiter, &address).await
}

/// What a socket says of its own family, type and protocol.
fn hints_of(socket: &Bound<'_, PyAny>) -> PyResult<Hints> {
    let attribute = |name| socket.getattr(name)?.extract::<i32>();
    let (family, kind) = (attribute("family")?, attribute("type")?);
    Ok(Hints { family, kind, protocol: attribute("proto")?, flags: 0 })
}

/// Connects a socket to an address that needs no resolving.
async fn connect_to(socket: &Socket, awaiter: &Awaiter, address: &Py<PyAny>) -> PyResult<()> {
    let connect =
        |py: Python<'_>| socket.socket.call_method1(py, intern!(py, "connect"), (address,));
    let opened = || Python::attach(|py| socket.tell_open(py, socket.descriptor()));
    if unless_blocked(Python::attach(connect))?.is_some() {
        opened();
        return Ok(());
    }
    socket.wait_writable(awaiter).await?;
    let fd = ffi::borrow_descriptor(socket.descriptor());
    let refused = |error: Errno| {
        let text = Python::attach(|py| address.bind(py).str().map(|text| text.to_string()));
        errors::os_error_with(error, format!("Connect call failed {}", text.unwrap_or_default()))
    };
    match rustix::net::sockopt::socket_error(fd) {
        Ok(outcome) => outcome.map(|()| opened()).map_err(refused),
        Err(error) => Err(refused(error)),
    }
}
