//! Names and addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};
use rustix::net::{AddressFamily, SocketType, ipproto};

use super::EventLoop;
use crate::imports;
use crate::native_coroutine::{self, Awaiter, NativeCoroutine};

/// What getaddrinfo is asked for, beside host and port.
#[derive(Clone, Copy, Default)]
pub struct Hints {
    pub family: i32,
    pub kind: i32,
    pub protocol: i32,
    pub flags: i32,
}

/// One answer of getaddrinfo.
#[derive(FromPyObject)]
pub struct AddressInfo {
    #[pyo3(item(0))]
    pub family: i32,
    #[pyo3(item(1))]
    pub kind: i32,
    #[pyo3(item(2))]
    pub protocol: i32,
    #[pyo3(item(4))]
    pub address: Py<PyAny>,
}

/// The answers for an address: one without a question, if it is a literal; else getaddrinfo's.
///
/// # Errors
///
/// Those of getaddrinfo, `socket.gaierror` above all.
pub async fn resolve(
    awaiter: &Awaiter,
    event_loop: &Py<EventLoop>,
    address: &Py<PyAny>,
    hints: Hints,
) -> PyResult<Vec<Py<PyAny>>> {
    let literal = Python::attach(|py| of_literal(address.bind(py), hints))?;
    if let Some(info) = literal {
        return Ok(vec![info]);
    }
    let question = Python::attach(|py| {
        let keywords = PyDict::new(py);
        keywords.set_item("family", hints.family)?;
        keywords.set_item("type", hints.kind)?;
        keywords.set_item("proto", hints.protocol)?;
        keywords.set_item("flags", hints.flags)?;
        let address = address.bind(py);
        let arguments = (address.get_item(0)?, address.get_item(1)?);
        let event_loop = event_loop.bind(py);
        event_loop.call_method("getaddrinfo", arguments, Some(&keywords)).map(Bound::unbind)
    })?;
    let infos = awaiter.wait(question).await?;
    Python::attach(|py| match infos.bind(py).is_truthy()? {
        true => infos.bind(py).try_iter()?.map(|info| Ok(info?.unbind())).collect(),
        false => Ok(Vec::new()),
    })
}

/// The answer for an address whose host is an IP address and whose port is a number.
fn of_literal(address: &Bound<'_, PyAny>, hints: Hints) -> PyResult<Option<Py<PyAny>>> {
    let py = address.py();
    let (Some(protocol), Some(host)) = (protocol_of(hints), host_of(&address.get_item(0)?)?) else {
        return Ok(None);
    };
    let Some(port) = port_of(&address.get_item(1)?) else { return Ok(None) };
    let wants =
        |family: AddressFamily| hints.family == 0 || hints.family == i32::from(family.as_raw());
    if host.parse::<Ipv4Addr>().is_ok() && wants(AddressFamily::INET) {
        let family = i32::from(AddressFamily::INET.as_raw());
        let info = (family, hints.kind, protocol, "", (host, port));
        return Ok(Some(info.into_pyobject(py)?.into_any().unbind()));
    }
    if host.parse::<Ipv6Addr>().is_ok() && wants(AddressFamily::INET6) {
        let item = |index| match address.get_item(index) {
            Ok(value) => value.extract::<u32>(),
            Err(_) => Ok(0),
        };
        let family = i32::from(AddressFamily::INET6.as_raw());
        let info = (family, hints.kind, protocol, "", (host, port, item(2)?, item(3)?));
        return Ok(Some(info.into_pyobject(py)?.into_any().unbind()));
    }
    Ok(None)
}

/// The protocol that goes with the kind of socket, unless another one is asked for.
fn protocol_of(hints: Hints) -> Option<i32> {
    let number = |protocol: rustix::net::Protocol| protocol.as_raw().get() as i32;
    let protocol = match hints.kind {
        kind if kind == SocketType::STREAM.as_raw() as i32 => number(ipproto::TCP),
        kind if kind == SocketType::DGRAM.as_raw() as i32 => number(ipproto::UDP),
        _ => return None,
    };
    let known = [0, number(ipproto::TCP), number(ipproto::UDP)];
    known.contains(&hints.protocol).then_some(protocol)
}

fn host_of(host: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    if host.is_instance_of::<PyBytes>() {
        return host.call_method1("decode", ("idna",))?.extract().map(Some);
    }
    if host.is_instance_of::<PyString>() { host.extract().map(Some) } else { Ok(None) }
}

fn port_of(port: &Bound<'_, PyAny>) -> Option<i64> {
    if port.is_none() {
        return Some(0);
    }
    if let Ok(text) = port.extract::<String>() {
        return if text.is_empty() { Some(0) } else { text.trim().parse().ok() };
    }
    if let Ok(bytes) = port.extract::<&[u8]>() {
        let text = std::str::from_utf8(bytes).ok()?;
        return if text.is_empty() { Some(0) } else { text.trim().parse().ok() };
    }
    port.extract().ok()
}

/// What a lookup gives: the answers, or what they are to be waited for.
enum Answer {
    Here(Py<PyAny>),
    Later(Py<PyAny>),
}

/// Whether nobody has to be asked about a host and a port.
fn is_literal(host: &Bound<'_, PyAny>, port: &Bound<'_, PyAny>) -> bool {
    let Ok(Some(host)) = host_of(host) else { return false };
    let (address, _scope) = host.split_once('%').unwrap_or((&host, ""));
    (host.parse::<Ipv4Addr>().is_ok() || address.parse::<Ipv6Addr>().is_ok())
        && port_of(port).is_some()
}

/// Takes answers of each family in turn, after the first `first_family_count` of the first family.
pub fn interleave(infos: Vec<Py<PyAny>>, first_family_count: usize) -> PyResult<Vec<Py<PyAny>>> {
    let mut families: Vec<(i32, std::collections::VecDeque<Py<PyAny>>)> = Vec::new();
    for info in infos {
        let family = Python::attach(|py| info.bind(py).get_item(0)?.extract::<i32>())?;
        match families.iter_mut().find(|(known, _)| *known == family) {
            Some((_, group)) => group.push_back(info),
            None => families.push((family, [info].into())),
        }
    }
    let mut interleaved = Vec::new();
    if let Some((_, first)) = families.first_mut() {
        let head = first_family_count.saturating_sub(1).min(first.len());
        interleaved.extend(first.drain(..head));
    }
    while families.iter().any(|(_, group)| !group.is_empty()) {
        interleaved.extend(families.iter_mut().filter_map(|(_, group)| group.pop_front()));
    }
    Ok(interleaved)
}

/// A function of the module `socket`; looked up each time, since programs put their own in its place.
fn lookup_function<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("socket")?.getattr(name)
}

#[pymethods]
impl EventLoop {
    /// Look up a host and a port, as socket.getaddrinfo does: in the default executor, or at once if
    /// the host is an IP address and the port a number, so that nobody has to be asked.
    #[pyo3(
        signature = (host, port, *, family=None, r#type=None, proto=None, flags=None),
        text_signature = "(self, host, port, *, family=0, type=0, proto=0, flags=0)"
    )]
    fn getaddrinfo(
        slf: &Bound<'_, Self>,
        host: Py<PyAny>,
        port: Py<PyAny>,
        family: Option<Py<PyAny>>,
        r#type: Option<Py<PyAny>>,
        proto: Option<Py<PyAny>>,
        flags: Option<Py<PyAny>>,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        native_coroutine::new(py, "EventLoop.getaddrinfo", async move |awaiter| {
            let answer = Python::attach(|py| {
                let slf = event_loop.bind(py);
                let lookup = if slf.get().is_debug(py) {
                    slf.getattr("_getaddrinfo_debug")?
                } else {
                    lookup_function(py, "getaddrinfo")?
                };
                let is_literal = is_literal(host.bind(py), port.bind(py));
                let mut question = vec![host, port];
                for hint in [family, r#type, proto, flags] {
                    question.push(hint.map_or_else(|| 0.into_py_any(py), Ok)?);
                }
                if is_literal {
                    let answer = lookup.call1(PyTuple::new(py, question)?)?;
                    return PyResult::Ok(Answer::Here(answer.unbind()));
                }
                let job = [py.None(), lookup.unbind()].into_iter().chain(question);
                let job = PyTuple::new(py, job.collect::<Vec<_>>())?;
                slf.call_method1("run_in_executor", job).map(|job| Answer::Later(job.unbind()))
            })?;
            match answer {
                Answer::Here(infos) => Ok(infos),
                Answer::Later(job) => awaiter.wait(job).await,
            }
        })
    }

    /// Looks up, and logs how long it took.
    fn _getaddrinfo_debug<'py>(
        slf: &Bound<'py, Self>,
        host: &Bound<'py, PyAny>,
        port: &Bound<'py, PyAny>,
        family: &Bound<'py, PyAny>,
        kind: &Bound<'py, PyAny>,
        proto: &Bound<'py, PyAny>,
        flags: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let mut question = format!("{}:{}", host.str()?, port.repr()?);
        for (name, value) in
            [("family", family), ("type", kind), ("proto", proto), ("flags", flags)]
        {
            if value.is_truthy()? {
                question += &format!(", {name}={}", value.repr()?);
            }
        }
        let logger = imports::logger(py)?;
        logger.call_method1("debug", ("Get address info %s", &question))?;
        let begin = slf.get().seconds(py);
        let lookup = lookup_function(py, "getaddrinfo")?;
        let infos = lookup.call1((host, port, family, kind, proto, flags))?;
        let taken = slf.get().seconds(py) - begin;
        let milliseconds = taken * 1e3;
        let answer =
            format!("Getting address info {question} took {milliseconds:.3}ms: {}", infos.repr()?);
        let slow = slf.getattr("slow_callback_duration")?.le(taken)?;
        logger.call_method1(if slow { "info" } else { "debug" }, (answer,))?;
        Ok(infos)
    }

    /// Look up the names of an address, as socket.getnameinfo does, in the default executor.
    #[pyo3(signature = (sockaddr, flags=0))]
    fn getnameinfo(
        slf: &Bound<'_, Self>,
        sockaddr: Py<PyAny>,
        flags: i32,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        native_coroutine::new(py, "EventLoop.getnameinfo", async move |awaiter| {
            let job = Python::attach(|py| {
                let job = (py.None(), lookup_function(py, "getnameinfo")?, sockaddr, flags);
                event_loop.bind(py).call_method1("run_in_executor", job).map(Bound::unbind)
            })?;
            awaiter.wait(job).await
        })
    }
}
