//! Starting child processes: everything that `subprocess.Popen` takes, but text.

use std::convert::Infallible;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use super::EventLoop;
use super::program::Program;
use crate::native_coroutine::{self, NativeCoroutine};

/// Where a standard stream of the child goes: what Popen takes, or a pipe if nothing is said.
enum Redirection {
    Pipe,
    To(Py<PyAny>),
}

impl FromPyObject<'_, '_> for Redirection {
    type Error = Infallible;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> Result<Self, Infallible> {
        Ok(Self::To(object.to_owned().unbind()))
    }
}

impl Redirection {
    fn resolve(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self {
            Self::Pipe => py.import("subprocess")?.getattr("PIPE").map(Bound::unbind),
            Self::To(target) => Ok(target),
        }
    }
}

/// Any object, as a condition takes it.
struct Truth(bool);

impl FromPyObject<'_, '_> for Truth {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        object.is_truthy().map(Self)
    }
}

/// Arguments of Popen that make no sense here: the pipes carry bytes, and hold none back.
struct TextArguments {
    universal_newlines: Truth,
    bufsize: i64,
    encoding: Option<Py<PyAny>>,
    errors: Option<Py<PyAny>>,
    text: Option<Truth>,
}

impl TextArguments {
    /// # Errors
    ///
    /// `ValueError` that names the first argument that is not what it must be.
    fn check(&self, shell_is: bool, shell_must_be: &'static str) -> PyResult<()> {
        let conditions = [
            (!self.universal_newlines.0, "universal_newlines must be False"),
            (shell_is, shell_must_be),
            (self.bufsize == 0, "bufsize must be 0"),
            (!self.text.as_ref().is_some_and(|text| text.0), "text must be False"),
            (self.encoding.is_none(), "encoding must be None"),
            (self.errors.is_none(), "errors must be None"),
        ];
        match conditions.iter().find(|(holds, _)| !holds) {
            Some((_, message)) => Err(PyValueError::new_err(*message)),
            None => Ok(()),
        }
    }
}

#[pymethods]
impl EventLoop {
    /// Start a program with arguments; return its transport and the protocol that the factory made.
    ///
    /// stdin, stdout and stderr are pipes by default; they and all other keywords are those of
    /// subprocess.Popen, except that the pipes carry bytes: raise ValueError for arguments that say
    /// otherwise, and what Popen raises (FileNotFoundError if there is no such program).
    #[pyo3(
        signature = (
            protocol_factory, program, *args, stdin=Redirection::Pipe, stdout=Redirection::Pipe,
            stderr=Redirection::Pipe, universal_newlines=Truth(false), shell=Truth(false),
            bufsize=0, encoding=None, errors=None, text=None, **keywords
        ),
        text_signature = "($self, protocol_factory, program, *args, stdin=-1, stdout=-1, \
            stderr=-1, universal_newlines=False, shell=False, bufsize=0, encoding=None, \
            errors=None, text=None, **keywords)"
    )]
    fn subprocess_exec(
        slf: &Bound<'_, Self>,
        protocol_factory: Py<PyAny>,
        program: Bound<'_, PyAny>,
        args: &Bound<'_, PyTuple>,
        stdin: Redirection,
        stdout: Redirection,
        stderr: Redirection,
        universal_newlines: Truth,
        shell: Truth,
        bufsize: i64,
        encoding: Option<Py<PyAny>>,
        errors: Option<Py<PyAny>>,
        text: Option<Truth>,
        keywords: Option<Py<PyDict>>,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        let text = TextArguments { universal_newlines, bufsize, encoding, errors, text };
        let mut command = vec![program];
        command.extend(args.iter());
        let program = Program {
            command: PyTuple::new(py, command)?.into_any().unbind(),
            title: "execute program",
            shell: false,
            streams: [stdin.resolve(py)?, stdout.resolve(py)?, stderr.resolve(py)?],
            keywords,
        };
        native_coroutine::new(py, "EventLoop.subprocess_exec", async move |awaiter| {
            text.check(!shell.0, "shell must be False")?;
            program.run(&awaiter, &event_loop, &protocol_factory).await
        })
    }

    /// Start a command, a str or bytes, in a shell; return its transport and the protocol that the
    /// factory made.
    ///
    /// The arguments are those of subprocess_exec(). Raise ValueError if the command is no string.
    #[pyo3(
        signature = (
            protocol_factory, cmd, *, stdin=Redirection::Pipe, stdout=Redirection::Pipe,
            stderr=Redirection::Pipe, universal_newlines=Truth(false), shell=Truth(true),
            bufsize=0, encoding=None, errors=None, text=None, **keywords
        ),
        text_signature = "($self, protocol_factory, cmd, *, stdin=-1, stdout=-1, stderr=-1, \
            universal_newlines=False, shell=True, bufsize=0, encoding=None, errors=None, \
            text=None, **keywords)"
    )]
    fn subprocess_shell(
        slf: &Bound<'_, Self>,
        protocol_factory: Py<PyAny>,
        cmd: Bound<'_, PyAny>,
        stdin: Redirection,
        stdout: Redirection,
        stderr: Redirection,
        universal_newlines: Truth,
        shell: Truth,
        bufsize: i64,
        encoding: Option<Py<PyAny>>,
        errors: Option<Py<PyAny>>,
        text: Option<Truth>,
        keywords: Option<Py<PyDict>>,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        let text = TextArguments { universal_newlines, bufsize, encoding, errors, text };
        let is_string = cmd.is_instance_of::<PyString>() || cmd.is_instance_of::<PyBytes>();
        let program = Program {
            command: cmd.unbind(),
            title: "run shell command",
            shell: true,
            streams: [stdin.resolve(py)?, stdout.resolve(py)?, stderr.resolve(py)?],
            keywords,
        };
        native_coroutine::new(py, "EventLoop.subprocess_shell", async move |awaiter| {
            if !is_string {
                return Err(PyValueError::new_err("cmd must be a string"));
            }
            text.check(shell.0, "shell must be True")?;
            program.run(&awaiter, &event_loop, &protocol_factory).await
        })
    }
}
