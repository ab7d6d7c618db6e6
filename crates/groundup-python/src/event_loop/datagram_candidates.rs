//! The sockets that an endpoint could have, and the first of them that can be opened.

use pyo3::exceptions::{PyOSError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use rustix::net::AddressFamily;

use super::attempts::{ClosedOnDrop, is_os_error};
use super::resolver::{AddressInfo, Hints, resolve};
use super::serving::set_reuse_port;
use super::{DATAGRAM, EventLoop};
use crate::native_coroutine::Awaiter;
use crate::transports::{is_abstract, remove_stale};

/// What an endpoint is asked to be.
pub struct EndpointOptions {
    pub local_address: Argument,
    pub remote_address: Argument,
    pub family: i32,
    pub protocol: i32,
    pub flags: i32,
    pub reuse_port: Argument,
    pub allow_broadcast: Argument,
}

/// An argument that counts only if it is true.
pub struct Argument {
    pub value: Option<Py<PyAny>>,
    pub is_true: bool,
}

/// A socket that was opened, and the address that it is for, if there is one.
pub struct Opened {
    pub socket: ClosedOnDrop,
    pub remote_address: Option<Py<PyAny>>,
}

/// One socket that an endpoint could have.
struct Candidate {
    family: i32,
    protocol: i32,
    local_address: Option<Py<PyAny>>,
    remote_address: Option<Py<PyAny>>,
}

impl Argument {
    pub fn new(value: Option<Bound<'_, PyAny>>) -> PyResult<Self> {
        let is_true = value.as_ref().map_or(Ok(false), |value| value.is_truthy())?;
        Ok(Self { value: value.map(Bound::unbind), is_true })
    }

    fn describe(&self, py: Python<'_>, name: &str) -> PyResult<Option<String>> {
        let value = self.value.as_ref().filter(|_| self.is_true);
        value.map(|value| Ok(format!("{name}={}", value.bind(py).str()?))).transpose()
    }
}

impl EndpointOptions {
    /// The options that are set, as errors name them.
    pub fn describe(&self, py: Python<'_>) -> PyResult<String> {
        let number = |name, number| (number != 0).then(|| format!("{name}={number}"));
        let descriptions = [
            self.local_address.describe(py, "local_addr")?,
            self.remote_address.describe(py, "remote_addr")?,
            number("family", self.family),
            number("proto", self.protocol),
            number("flags", self.flags),
            self.reuse_port.describe(py, "reuse_port")?,
            self.allow_broadcast.describe(py, "allow_broadcast")?,
        ];
        Ok(descriptions.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }

    /// Opens the first socket that can be opened.
    ///
    /// # Errors
    ///
    /// What was wrong with the first candidate; `TypeError` and `ValueError` where there is none.
    pub async fn open_socket(
        &self,
        awaiter: &Awaiter,
        event_loop: &Py<EventLoop>,
    ) -> PyResult<Opened> {
        let mut failure = None;
        for candidate in self.candidates(awaiter, event_loop).await? {
            match self.open(awaiter, event_loop, &candidate).await {
                Ok(socket) => {
                    return Ok(Opened { socket, remote_address: candidate.remote_address });
                }
                Err(error) if is_os_error(&error) => failure = failure.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        Err(failure.expect("there is at least one candidate"))
    }

    async fn candidates(
        &self,
        awaiter: &Awaiter,
        event_loop: &Py<EventLoop>,
    ) -> PyResult<Vec<Candidate>> {
        let mut candidate = Candidate::new(self.family, self.protocol);
        if !self.local_address.is_true && !self.remote_address.is_true {
            if self.family == 0 {
                return Err(PyValueError::new_err("unexpected address family"));
            }
        } else if self.family == i32::from(AddressFamily::UNIX.as_raw()) {
            candidate.local_address = Python::attach(|py| path_of(py, &self.local_address))?;
            candidate.remote_address = Python::attach(|py| path_of(py, &self.remote_address))?;
            if let Some(path) = &candidate.local_address {
                Python::attach(|py| match is_abstract(path.bind(py))? {
                    true => Ok(()),
                    false => remove_stale(path.bind(py)),
                })?;
            }
        } else {
            return self.internet_candidates(awaiter, event_loop).await;
        }
        Ok(vec![candidate])
    }

    /// The families and protocols for which all addresses that are asked for are found.
    async fn internet_candidates(
        &self,
        awaiter: &Awaiter,
        event_loop: &Py<EventLoop>,
    ) -> PyResult<Vec<Candidate>> {
        let mut candidates = Vec::new();
        for info in self.resolve(awaiter, event_loop, &self.local_address).await? {
            let candidate = candidate_for(&mut candidates, &info);
            candidate.local_address = Some(info.address);
        }
        for info in self.resolve(awaiter, event_loop, &self.remote_address).await? {
            let candidate = candidate_for(&mut candidates, &info);
            candidate.remote_address = Some(info.address);
        }
        candidates.retain(|candidate| {
            candidate.local_address.is_some() == self.local_address.is_true
                && candidate.remote_address.is_some() == self.remote_address.is_true
        });
        if candidates.is_empty() {
            return Err(PyValueError::new_err("can not get address information"));
        }
        Ok(candidates)
    }

    async fn resolve(
        &self,
        awaiter: &Awaiter,
        event_loop: &Py<EventLoop>,
        address: &Argument,
    ) -> PyResult<Vec<AddressInfo>> {
        let Some(address) = &address.value else { return Ok(Vec::new()) };
        Python::attach(|py| check_pair(address.bind(py)))?;
        let (protocol, flags) = (self.protocol, self.flags);
        let hints = Hints { family: self.family, kind: DATAGRAM, protocol, flags };
        let infos = resolve(awaiter, event_loop, address, hints).await?;
        if infos.is_empty() {
            return Err(PyOSError::new_err("getaddrinfo() returned empty list"));
        }
        Python::attach(|py| infos.into_iter().map(|info| info.extract(py)).collect())
    }

    /// Makes, binds and connects a socket.
    async fn open(
        &self,
        awaiter: &Awaiter,
        event_loop: &Py<EventLoop>,
        candidate: &Candidate,
    ) -> PyResult<ClosedOnDrop> {
        let socket = Python::attach(|py| self.make_socket(py, candidate))?;
        if let Some(address) = &candidate.local_address {
            Python::attach(|py| socket.get().call_method1(py, "bind", (address,)))?;
        }
        // A socket that is connected to a broadcast address would not hear who answers.
        if let Some(address) = &candidate.remote_address
            && !self.allow_broadcast.is_true
        {
            let connected = Python::attach(|py| {
                let arguments = (socket.get(), address);
                event_loop.call_method1(py, intern!(py, "sock_connect"), arguments)
            })?;
            awaiter.wait(connected).await?;
        }
        Ok(socket)
    }

    fn make_socket(&self, py: Python<'_>, candidate: &Candidate) -> PyResult<ClosedOnDrop> {
        let kind = (candidate.family, DATAGRAM, candidate.protocol);
        let module = py.import("socket")?;
        let socket = ClosedOnDrop::new(module.getattr("socket")?.call1(kind)?.unbind());
        if self.reuse_port.is_true {
            set_reuse_port(socket.get().bind(py))?;
        }
        if self.allow_broadcast.is_true {
            let option = (module.getattr("SOL_SOCKET")?, module.getattr("SO_BROADCAST")?, 1);
            socket.get().call_method1(py, "setsockopt", option)?;
        }
        socket.get().call_method1(py, "setblocking", (false,))?;
        Ok(socket)
    }
}

impl Candidate {
    fn new(family: i32, protocol: i32) -> Self {
        Self { family, protocol, local_address: None, remote_address: None }
    }
}

/// The candidate of an answer's family and protocol, which is added if there is none.
fn candidate_for<'a>(candidates: &'a mut Vec<Candidate>, info: &AddressInfo) -> &'a mut Candidate {
    let (family, protocol) = (info.family, info.protocol);
    let is_meant = |known: &Candidate| known.family == family && known.protocol == protocol;
    let known = candidates.iter().position(is_meant);
    let index = known.unwrap_or_else(|| {
        candidates.push(Candidate::new(family, protocol));
        candidates.len() - 1
    });
    &mut candidates[index]
}

fn check_pair(address: &Bound<'_, PyAny>) -> PyResult<()> {
    match address.cast::<PyTuple>() {
        Ok(pair) if pair.len() == 2 => Ok(()),
        _ => Err(PyTypeError::new_err("2-tuple is expected")),
    }
}

/// A path or an abstract name; none if it is empty.
fn path_of(py: Python<'_>, address: &Argument) -> PyResult<Option<Py<PyAny>>> {
    match &address.value {
        Some(path) if !path.bind(py).is_instance_of::<PyString>() => {
            Err(PyTypeError::new_err("string is expected"))
        }
        path => Ok(path.clone().filter(|_| address.is_true)),
    }
}
