//! Work for other threads.

use std::cell::{Cell, RefCell};

use pyo3::exceptions::{
    PyException, PyRuntimeError, PyRuntimeWarning, PyTimeoutError, PyTypeError,
};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::EventLoop;
use super::scheduling::check_callback;
use crate::imports;
use crate::native_coroutine::{self, NativeCoroutine};

/// The executor for everything that names no other.
#[derive(Default)]
pub struct DefaultExecutor {
    executor: RefCell<Option<Py<PyAny>>>,
    is_shut_down: Cell<bool>,
}

impl DefaultExecutor {
    /// Shuts down without waiting.
    pub fn abandon(&self, py: Python<'_>) -> PyResult<()> {
        self.is_shut_down.set(true);
        let executor = self.executor.take();
        executor.map_or(Ok(()), |executor| shut_down(executor.bind(py), false))
    }

    pub fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.executor.try_borrow().map_or(Ok(()), |executor| visit.call(&*executor))
    }

    pub fn clear(&self) {
        drop(self.executor.take());
    }

    fn get(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.executor.borrow().as_ref().map(|executor| executor.clone_ref(py))
    }

    fn get_or_make<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if self.is_shut_down.get() {
            return Err(PyRuntimeError::new_err("Executor shutdown has been called"));
        }
        if let Some(executor) = self.get(py) {
            return Ok(executor.into_bound(py));
        }
        let keywords = PyDict::new(py);
        keywords.set_item("thread_name_prefix", "asyncio")?;
        let executor = imports::thread_pool_executor(py)?.call((), Some(&keywords))?;
        self.executor.replace(Some(executor.clone().unbind()));
        Ok(executor)
    }
}

fn shut_down(executor: &Bound<'_, PyAny>, wait: bool) -> PyResult<()> {
    let keywords = PyDict::new(executor.py());
    keywords.set_item("wait", wait)?;
    executor.call_method("shutdown", (), Some(&keywords)).map(drop)
}

#[pymethods]
impl EventLoop {
    /// Call a function with arguments in an executor's thread; None means the default executor.
    ///
    /// Return an asyncio.Future for what it returns. Raise RuntimeError once the default executor
    /// was shut down.
    #[pyo3(signature = (executor, func, *args))]
    fn run_in_executor<'py>(
        slf: &Bound<'py, Self>,
        executor: Option<&Bound<'py, PyAny>>,
        func: &Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        this.check_open(py)?;
        if this.is_debug(py) {
            check_callback(func, "run_in_executor")?;
        }
        let executor = match executor {
            Some(executor) => executor.clone(),
            None => this.parts(py).executor.get_or_make(py)?,
        };
        let mut call = vec![func.clone()];
        call.extend(args.iter());
        let job = executor.call_method1(intern!(py, "submit"), PyTuple::new(py, call)?)?;
        let keywords = PyDict::new(py);
        keywords.set_item(intern!(py, "loop"), slf)?;
        let future = imports::wrap_future(py)?.call((&job,), Some(&keywords))?;
        this.tell(py, |narrator| narrator.begin_job(&future, &job, func));
        Ok(future)
    }

    /// Set the default executor, a concurrent.futures.ThreadPoolExecutor; TypeError otherwise.
    fn set_default_executor(&self, executor: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = executor.py();
        if !executor.is_instance(imports::thread_pool_executor(py)?)? {
            return Err(PyTypeError::new_err("executor must be ThreadPoolExecutor instance"));
        }
        drop(self.parts(py).executor.executor.replace(Some(executor.clone().unbind())));
        Ok(())
    }

    /// Wait until the default executor has finished its jobs, at most timeout seconds (None: as
    /// long as it takes; then RuntimeWarning), and let it take no more.
    #[pyo3(signature = (timeout=None))]
    fn shutdown_default_executor(
        slf: &Bound<'_, Self>,
        timeout: Option<Py<PyAny>>,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        let name = "EventLoop.shutdown_default_executor";
        native_coroutine::new(py, name, async move |awaiter| {
            let Some(shutdown) = Python::attach(|py| Shutdown::begin(event_loop.bind(py)))? else {
                return Ok(Python::attach(|py| py.None()));
            };
            let finished = Python::attach(|py| {
                let arguments = (&shutdown.finished, &timeout);
                imports::wait_for(py)?.call1(arguments).map(Bound::unbind)
            })?;
            let outcome = awaiter.wait(finished).await;
            Python::attach(|py| shutdown.end(py, outcome, timeout.as_ref()))
        })
    }

    /// Shuts the default executor down, in a thread of its own, and settles a future on the loop.
    fn _shut_executor_down(
        slf: &Bound<'_, Self>,
        executor: &Bound<'_, PyAny>,
        future: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let py = slf.py();
        let exception = match shut_down(executor, true) {
            Ok(()) => None,
            Err(error) if error.is_instance_of::<PyException>(py) => Some(error.into_value(py)),
            Err(error) => return Err(error),
        };
        if slf.get().parts(py).running.is_closed() {
            return Ok(());
        }
        let settle = slf.getattr("_settle_shutdown")?;
        slf.call_method1("call_soon_threadsafe", (settle, future, exception)).map(drop)
    }

    #[getter]
    fn _default_executor(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.parts(py).executor.get(py)
    }

    #[setter(_default_executor)]
    fn change_default_executor(&self, py: Python<'_>, executor: Option<Py<PyAny>>) {
        drop(self.parts(py).executor.executor.replace(executor));
    }

    #[getter]
    fn _executor_shutdown_called(&self, py: Python<'_>) -> bool {
        self.parts(py).executor.is_shut_down.get()
    }

    #[staticmethod]
    fn _settle_shutdown(future: &Bound<'_, PyAny>, exception: &Bound<'_, PyAny>) -> PyResult<()> {
        if future.call_method0("done")?.is_truthy()? {
            return Ok(());
        }
        let method = if exception.is_none() { "set_result" } else { "set_exception" };
        future.call_method1(method, (exception,)).map(drop)
    }
}

/// A shutdown of the default executor that is under way.
struct Shutdown {
    executor: Py<PyAny>,
    thread: Py<PyAny>,
    finished: Py<PyAny>,
}

impl Shutdown {
    /// Starts the thread that waits for the executor's; none is needed without an executor.
    fn begin(event_loop: &Bound<'_, EventLoop>) -> PyResult<Option<Self>> {
        let py = event_loop.py();
        let default = &event_loop.get().parts(py).executor;
        default.is_shut_down.set(true);
        let Some(executor) = default.get(py) else { return Ok(None) };
        let finished = event_loop.call_method0("create_future")?;
        let keywords = PyDict::new(py);
        keywords.set_item("target", event_loop.getattr("_shut_executor_down")?)?;
        keywords.set_item("args", (&executor, &finished))?;
        let thread = imports::thread(py)?.call((), Some(&keywords))?;
        thread.call_method0("start")?;
        Ok(Some(Self { executor, thread: thread.unbind(), finished: finished.unbind() }))
    }

    fn end(
        &self,
        py: Python<'_>,
        outcome: PyResult<Py<PyAny>>,
        timeout: Option<&Py<PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        match (outcome, timeout) {
            (Ok(_), _) => self.thread.call_method0(py, "join"),
            (Err(error), Some(seconds)) if error.is_instance_of::<PyTimeoutError>(py) => {
                let message = format!(
                    "The executor did not finishing joining its threads within {seconds} seconds."
                );
                let category = py.get_type::<PyRuntimeWarning>();
                imports::warn(py)?.call1((message, category))?;
                shut_down(self.executor.bind(py), false)?;
                Ok(py.None())
            }
            (Err(error), _) => Err(error),
        }
    }
}
