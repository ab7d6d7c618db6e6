//! Attempts to connect: one after the other, or side by side until the first succeeds.

use pyo3::exceptions::{PyException, PyOSError, PyTimeoutError};
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyList, PyTuple};

use super::EventLoop;
use super::resolver::AddressInfo;
use crate::native_coroutine::{self, Awaiter};
use crate::{errors, imports};

/// What the attempts to connect have in common.
#[derive(Clone)]
pub struct Attempts {
    event_loop: Py<EventLoop>,
    local_infos: Option<Py<PyList>>,
    /// A list of exceptions for each attempt, in the order they began.
    failures: Py<PyList>,
}

impl Attempts {
    /// No attempts yet; sockets are bound to one of the local addresses, if there are any.
    pub fn new(
        py: Python<'_>,
        event_loop: &Py<EventLoop>,
        local_infos: Option<Vec<Py<PyAny>>>,
    ) -> PyResult<Self> {
        let local_infos = local_infos.map(|infos| PyList::new(py, infos).map(Bound::unbind));
        Ok(Self {
            event_loop: event_loop.clone_ref(py),
            local_infos: local_infos.transpose()?,
            failures: PyList::empty(py).unbind(),
        })
    }

    /// Tries one address after the other.
    ///
    /// # Errors
    ///
    /// What fails other than the network's answers, which count as failures.
    pub async fn one_by_one(
        &self,
        awaiter: &Awaiter,
        infos: Vec<Py<PyAny>>,
    ) -> PyResult<Option<Py<PyAny>>> {
        for info in infos {
            match self.connect(awaiter, info).await {
                Ok(socket) => return Ok(Some(socket)),
                Err(error) if is_os_error(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Starts an attempt each `delay` seconds, and takes the one that succeeds first (RFC 8305).
    ///
    /// # Errors
    ///
    /// What is thrown into the coroutine meanwhile.
    pub async fn race(
        &self,
        awaiter: &Awaiter,
        infos: Vec<Py<PyAny>>,
        delay: &Py<PyAny>,
    ) -> PyResult<Option<Py<PyAny>>> {
        let race = Python::attach(|py| {
            let starters: Vec<_> =
                infos.into_iter().map(|info| self.starter(py, info)).collect::<PyResult<_>>()?;
            let keywords = PyDict::new(py);
            keywords.set_item("loop", &self.event_loop)?;
            let arguments = (PyList::new(py, starters)?, delay);
            imports::staggered_race(py)?.call(arguments, Some(&keywords)).map(Bound::unbind)
        })?;
        let outcome = awaiter.wait(race).await?;
        Python::attach(|py| {
            let winner = outcome.bind(py).get_item(0)?;
            Ok((!winner.is_none()).then(|| winner.unbind()))
        })
    }

    /// A function that starts an attempt.
    fn starter<'py>(&self, py: Python<'py>, info: Py<PyAny>) -> PyResult<Bound<'py, PyCFunction>> {
        let attempts = self.clone();
        let start = move |args: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| {
            let (attempts, info) = (attempts.clone(), info.clone_ref(args.py()));
            native_coroutine::new(args.py(), "EventLoop._connect", async move |awaiter| {
                attempts.connect(&awaiter, info).await
            })
        };
        PyCFunction::new_closure(py, None, None, start)
    }

    /// Makes, binds and connects one socket.
    async fn connect(&self, awaiter: &Awaiter, info: Py<PyAny>) -> PyResult<Py<PyAny>> {
        let failures = Python::attach(|py| {
            let failures = PyList::empty(py);
            self.failures.bind(py).append(&failures)?;
            PyResult::Ok(failures.unbind())
        })?;
        let outcome = self.connect_socket(awaiter, info, &failures).await;
        if let Err(error) = &outcome {
            Python::attach(|py| match error.is_instance_of::<PyException>(py) {
                true => failures.bind(py).append(errors::exception(py, error)),
                false => Ok(()),
            })?;
        }
        outcome
    }

    async fn connect_socket(
        &self,
        awaiter: &Awaiter,
        info: Py<PyAny>,
        failures: &Py<PyList>,
    ) -> PyResult<Py<PyAny>> {
        let info: AddressInfo = Python::attach(|py| info.extract(py))?;
        let socket = ClosedOnDrop::new(Python::attach(|py| make_socket(py, &info))?);
        Python::attach(|py| self.bind(py, &socket, info.family, failures))?;
        let connecting = Python::attach(|py| {
            self.event_loop.call_method1(py, "sock_connect", (socket.get(), &info.address))
        })?;
        awaiter.wait(connecting).await?;
        Ok(socket.keep())
    }

    /// Binds a socket to the first local address of its family that it can be bound to.
    fn bind(
        &self,
        py: Python<'_>,
        socket: &ClosedOnDrop,
        family: i32,
        failures: &Py<PyList>,
    ) -> PyResult<()> {
        let Some(infos) = &self.local_infos else { return Ok(()) };
        for info in infos.bind(py) {
            let info: AddressInfo = info.extract()?;
            if info.family != family {
                continue;
            }
            match socket.get().call_method1(py, "bind", (&info.address,)) {
                Ok(_) => return Ok(()),
                Err(error) if is_os_error(&error) => {
                    let error = bind_error(py, &error, &info.address)?;
                    failures.bind(py).append(errors::exception(py, &error))?;
                }
                Err(error) => return Err(error),
            }
        }
        // The last failure is raised, and so entered again.
        let failures = failures.bind(py);
        if failures.is_empty() {
            let family = py.import("socket")?.getattr("AddressFamily")?.call1((family,))?.repr()?;
            let message = format!("no matching local address with family={family} found");
            return Err(PyOSError::new_err(message));
        }
        Err(PyErr::from_value(failures.call_method0("pop")?))
    }

    /// All that failed, in the order the attempts began; the list is empty afterwards, since what is
    /// left of a race may hold it until the next garbage collection.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    pub fn take_failures(&self, py: Python<'_>) -> PyResult<Vec<Py<PyAny>>> {
        let mut failures = Vec::new();
        for attempt in self.failures.bind(py) {
            let errors: Vec<Py<PyAny>> = attempt.extract()?;
            failures.extend(errors);
        }
        self.failures.bind(py).call_method0("clear")?;
        Ok(failures)
    }
}

/// The exception that tells of failed attempts.
pub fn summary(py: Python<'_>, failures: &[Py<PyAny>], all_errors: bool) -> PyResult<PyErr> {
    if all_errors {
        let group = py.import("builtins")?.getattr("ExceptionGroup")?;
        let group = group.call1(("create_connection failed", failures))?;
        return Ok(PyErr::from_value(group));
    }
    let text = |failure: &Py<PyAny>| Ok(failure.bind(py).str()?.to_string());
    let texts: Vec<String> = failures.iter().map(text).collect::<PyResult<_>>()?;
    match failures.first() {
        None => Ok(PyTimeoutError::new_err("create_connection failed")),
        Some(first) if texts.iter().all(|text| *text == texts[0]) => {
            Ok(PyErr::from_value(first.bind(py).clone()))
        }
        _ => Ok(PyOSError::new_err(format!("Multiple exceptions: {}", texts.join(", ")))),
    }
}

/// A Python socket that is closed unless it is kept.
pub struct ClosedOnDrop(Option<Py<PyAny>>);

impl ClosedOnDrop {
    pub fn new(socket: Py<PyAny>) -> Self {
        Self(Some(socket))
    }

    pub fn get(&self) -> &Py<PyAny> {
        self.0.as_ref().expect("only keep() takes it out")
    }

    pub fn keep(mut self) -> Py<PyAny> {
        self.0.take().expect("only keep() takes it out")
    }
}

impl Drop for ClosedOnDrop {
    fn drop(&mut self) {
        let Some(socket) = self.0.take() else { return };
        Python::attach(|py| {
            if let Err(error) = socket.call_method0(py, "close") {
                error.write_unraisable(py, Some(socket.bind(py)));
            }
        });
    }
}

pub fn is_os_error(error: &PyErr) -> bool {
    Python::attach(|py| error.is_instance_of::<PyOSError>(py))
}

/// A non-blocking socket for an address.
pub fn make_socket(py: Python<'_>, info: &AddressInfo) -> PyResult<Py<PyAny>> {
    // Looked up each time, as the class may be replaced.
    let class = py.import("socket")?.getattr("socket")?;
    let socket = class.call1((info.family, info.kind, info.protocol))?;
    socket.call_method1("setblocking", (false,))?;
    Ok(socket.unbind())
}

/// What `bind` raised, with the address named.
pub fn bind_error(py: Python<'_>, error: &PyErr, address: &Py<PyAny>) -> PyResult<PyErr> {
    let address = address.bind(py).repr()?;
    let text = error.value(py).str()?.to_string().to_lowercase();
    let message = format!("error while attempting to bind on address {address}: {text}");
    let number = error.value(py).getattr("errno")?;
    Ok(PyOSError::new_err((number.unbind(), message)))
}
