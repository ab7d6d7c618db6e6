//! A program on its way to being a child process with a transport.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::EventLoop;
use crate::native_coroutine::Awaiter;
use crate::transports::SubprocessTransport;
use crate::{errors, imports};

/// A program that is to be started.
pub struct Program {
    /// A tuple of arguments, or a string for the shell.
    pub command: Py<PyAny>,
    /// What the log calls it.
    pub title: &'static str,
    pub shell: bool,
    /// Where stdin, stdout and stderr go.
    pub streams: [Py<PyAny>; 3],
    /// What else Popen is told.
    pub keywords: Option<Py<PyDict>>,
}

impl Program {
    fn popen<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let keywords = PyDict::new(py);
        keywords.set_item("shell", self.shell)?;
        for (name, stream) in ["stdin", "stdout", "stderr"].into_iter().zip(&self.streams) {
            keywords.set_item(name, stream)?;
        }
        keywords.set_item("universal_newlines", false)?;
        keywords.set_item("bufsize", 0)?;
        if let Some(others) = &self.keywords {
            keywords.update(others.bind(py).as_mapping())?;
        }
        let class = py.import("subprocess")?.getattr("Popen")?;
        class.call((&self.command,), Some(&keywords))
    }

    /// The program's name, or the command.
    fn name<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let command = self.command.bind(py);
        command.cast::<PyTuple>().map_or(Ok(command.clone()), |args| args.get_item(0))
    }

    /// Starts it and makes its transport.
    fn start<'py>(
        &self,
        event_loop: &Bound<'py, EventLoop>,
        protocol: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, SubprocessTransport>> {
        let py = event_loop.py();
        let is_debug = event_loop.get().is_debug(py);
        let logger = imports::logger(py)?;
        if is_debug {
            logger.call_method1("debug", (self.announcement(py)?,))?;
        }
        let popen = self.popen(py)?;
        if is_debug {
            let args = ("process %r created: pid %s", self.name(py)?, popen.getattr("pid")?);
            logger.call_method1("debug", args)?;
        }
        SubprocessTransport::begin(event_loop, &popen, protocol)
    }

    fn headline(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("{} {}", self.title, self.name(py)?.repr()?))
    }

    fn announcement(&self, py: Python<'_>) -> PyResult<String> {
        let [stdin, stdout, stderr] = self.streams.each_ref().map(|stream| stream.bind(py));
        let merges = !stdout.is_none() && is_constant(stderr, "STDOUT")?;
        let named = if merges {
            vec![("stdin", stdin), ("stdout=stderr", stdout)]
        } else {
            vec![("stdin", stdin), ("stdout", stdout), ("stderr", stderr)]
        };
        let mut words = vec![self.headline(py)?];
        for (name, stream) in named {
            if !stream.is_none() {
                words.push(format!("{name}={}", describe(stream)?));
            }
        }
        Ok(words.join(" "))
    }

    /// Starts it, connects its pipes, and waits until the protocol has heard of it.
    ///
    /// # Errors
    ///
    /// What Popen and the protocol factory raise; what cancels it, after the child has ended.
    pub async fn run(
        self,
        awaiter: &Awaiter,
        event_loop: &Py<EventLoop>,
        protocol_factory: &Py<PyAny>,
    ) -> PyResult<Py<PyAny>> {
        let (process, protocol) = Python::attach(|py| {
            let protocol = protocol_factory.bind(py).call0()?;
            let process = self.start(event_loop.bind(py), &protocol)?;
            PyResult::Ok((process.unbind(), protocol.unbind()))
        })?;
        if let Err(error) = connect_pipes(awaiter, &process).await {
            if !Python::attach(|py| errors::ends_run(py, &error)) {
                Python::attach(|py| process.get().abandon(py))?;
                awaiter.wait(Python::attach(|py| process.call_method0(py, "_wait"))?).await?;
            }
            return Err(error);
        }
        Python::attach(|py| {
            if event_loop.get().is_debug(py) {
                let args = ("%s: %r", self.headline(py)?, &process);
                imports::logger(py)?.call_method1("info", args)?;
            }
            Ok((process, protocol).into_pyobject(py)?.into_any().unbind())
        })
    }
}

async fn connect_pipes(awaiter: &Awaiter, process: &Py<SubprocessTransport>) -> PyResult<()> {
    for fd in 0..3 {
        let connecting = Python::attach(|py| process.get().connecting(py, fd))?;
        if let Some(connecting) = connecting {
            awaiter.wait(connecting).await?;
        }
    }
    Python::attach(|py| SubprocessTransport::open(process.bind(py)))?;
    // The protocol hears of the process first.
    awaiter.give_way().await
}

/// Whether a stream is what the module `subprocess` has under a name.
fn is_constant(stream: &Bound<'_, PyAny>, name: &str) -> PyResult<bool> {
    stream.eq(stream.py().import("subprocess")?.getattr(name)?)
}

/// Where a stream goes, in words.
fn describe(stream: &Bound<'_, PyAny>) -> PyResult<String> {
    if is_constant(stream, "PIPE")? {
        return Ok("<pipe>".to_owned());
    }
    if is_constant(stream, "STDOUT")? {
        return Ok("<stdout>".to_owned());
    }
    Ok(stream.repr()?.to_string())
}
