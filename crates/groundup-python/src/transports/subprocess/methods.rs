//! What Python code asks of a child process: the methods of `asyncio.SubprocessTransport`.

use pyo3::exceptions::PyProcessLookupError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use super::SubprocessTransport;
use crate::event_loop::EventLoop;
use crate::imports;
use crate::native_coroutine::{self, Goal, NativeCoroutine};

impl SubprocessTransport {
    /// The protocol; none once it was told of the loss of the connection.
    pub(super) fn protocol(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.state(py).protocol.borrow().as_ref().map(|protocol| protocol.clone_ref(py))
    }

    /// Sends a signal to the child, by its descriptor where it has one.
    fn signal(&self, number: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = number.py();
        self.check_process(py)?;
        if self.state(py).returncode.get().is_some() {
            return Ok(());
        }
        // Some builds of Python have no such function.
        let by_descriptor = py.import("signal")?.getattr_opt("pidfd_send_signal")?;
        let outcome = match (self.child.descriptor(py), by_descriptor) {
            (Some(descriptor), Some(send)) => send.call1((descriptor, number)),
            _ => py.import("os")?.call_method1("kill", (self.child.pid(), number)),
        };
        match outcome {
            Err(error) if error.is_instance_of::<PyProcessLookupError>(py) => Ok(()),
            outcome => outcome.map(drop),
        }
    }

    fn signal_by_name(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.signal(&py.import("signal")?.getattr(name)?)
    }
}

#[pymethods]
impl SubprocessTransport {
    /// Return the process id of the child.
    fn get_pid(&self) -> i32 {
        self.child.pid()
    }

    /// Return the exit code, the negative number of the signal that ended the child, or None while
    /// it runs. It is 255 when the status was taken by other code.
    fn get_returncode(&self, py: Python<'_>) -> Option<i32> {
        self.state(py).returncode.get()
    }

    /// Return the transport of the child's descriptor 0, 1 or 2; None if that is no pipe.
    fn get_pipe_transport(&self, py: Python<'_>, fd: isize) -> Option<Py<PyAny>> {
        self.pipe(py, usize::try_from(fd).ok()?)?.get().transport(py)
    }

    /// Send a signal to the child; nothing happens if it has exited.
    ///
    /// Raise ProcessLookupError once the protocol was told that the connection is lost.
    fn send_signal(&self, signal: &Bound<'_, PyAny>) -> PyResult<()> {
        self.signal(signal)
    }

    /// Send SIGTERM to the child, as send_signal() does.
    fn terminate(&self, py: Python<'_>) -> PyResult<()> {
        self.signal_by_name(py, "SIGTERM")
    }

    /// Send SIGKILL to the child, as send_signal() does.
    fn kill(&self, py: Python<'_>) -> PyResult<()> {
        self.signal_by_name(py, "SIGKILL")
    }

    /// Close the pipes, and kill the child if it runs.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.close_process(py)
    }

    /// Return True if the transport was closed.
    fn is_closing(&self, py: Python<'_>) -> bool {
        self.state(py).is_closed.get()
    }

    /// Wait for the exit of the child; return its return code.
    fn _wait(slf: &Bound<'_, Self>) -> PyResult<Py<NativeCoroutine>> {
        let (py, process) = (slf.py(), slf.clone().unbind());
        native_coroutine::new(py, "SubprocessTransport._wait", async move |awaiter| {
            let waiter = Python::attach(|py| {
                let this = process.get();
                if let Some(returncode) = this.state(py).returncode.get() {
                    return Ok(Err(returncode.into_pyobject(py)?.into_any().unbind()));
                }
                let waiter = EventLoop::create_future(this.event_loop.bind(py))?.unbind();
                this.state(py).waiters.borrow_mut().push(waiter.clone_ref(py));
                PyResult::Ok(Ok(waiter))
            })?;
            let waiter = match waiter {
                Ok(waiter) => waiter,
                Err(returncode) => return Ok(returncode),
            };
            let goal = Goal::Child(process.get().child.pid());
            let outcome = awaiter.wait_for(goal, waiter.clone()).await;
            Python::attach(|py| {
                process.get().state(py).waiters.borrow_mut().retain(|other| !other.is(&waiter));
            });
            outcome
        })
    }

    /// Have another protocol hear of everything from here on.
    fn set_protocol(&self, protocol: Bound<'_, PyAny>) {
        drop(self.state(protocol.py()).protocol.replace(Some(protocol.unbind())));
    }

    /// Return the protocol; None once it was told that the connection is lost.
    fn get_protocol(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.protocol(py)
    }

    /// Return the subprocess.Popen object for 'subprocess', the default for anything else.
    #[pyo3(signature = (name, default=None))]
    fn get_extra_info<'py>(
        &self,
        name: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = name.py();
        Ok(if name.eq("subprocess")? { Some(self.popen.bind(py).clone()) } else { default })
    }

    /// The subprocess.Popen object.
    #[getter]
    fn _proc(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        (!self.state(py).has_ended.get()).then(|| self.popen.clone_ref(py))
    }

    /// What `isinstance` goes by.
    #[getter]
    fn __class__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        imports::asyncio_subprocess_transport(py).map(|class| class.clone().unbind())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<{}>", self.describe(py)?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.traverse(visit)
    }

    fn __clear__(&self) {
        self.clear();
    }
}
