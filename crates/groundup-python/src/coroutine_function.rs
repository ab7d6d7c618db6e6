//! `groundup.coroutine`: the decorator that makes a generator function a coroutine function.
//!
//! Promises that the decorated function stays as it is, and that what comes of it passes everywhere
//! for what it is: calls, methods, `inspect`, asyncio, pickle. What a call gives is
//! [`GeneratorCoroutine`]; this file must not know how that is driven.

use pyo3::PyTraverseError;
use pyo3::exceptions::PyTypeError;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{IntoPyDict, PyDict, PyFunction, PyString, PyTuple, PyType};

use crate::coroutine::PyCoroutine;
use crate::coroutine_life::Stage;
use crate::ffi::CO_ITERABLE_COROUTINE;
use crate::generator_coroutine::GeneratorCoroutine;
use crate::imports;

/// `inspect.CO_GENERATOR`.
const CO_GENERATOR: u32 = 0x20;
/// `inspect.CO_COROUTINE`.
const CO_COROUTINE: u32 = 0x80;

/// Makes a generator function one whose calls can be awaited, scheduled, and delegated to.
///
/// In the generator, `yield from` takes coroutines and other awaitables. A function that is none may
/// return an awaitable or a generator, which is then run for its result, or any other value, which
/// is the result; such a function is not called before its coroutine is first resumed.
///
/// Args:
///     function: A generator function or any other callable. An `async def` function is returned as
///         it is; what a staticmethod or a classmethod wraps is decorated in its place.
///
/// Returns:
///     A callable with the signature of `function`, whose calls return coroutine objects.
///
/// Raises:
///     TypeError: `function` cannot be called.
#[pyfunction]
#[pyo3(signature = (function, /))]
pub fn coroutine<'py>(function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = function.py();
    for name in ["staticmethod", "classmethod"] {
        if function.is_instance(&py.import("builtins")?.getattr(name)?)? {
            let decorated = coroutine(&function.getattr("__func__")?)?;
            return function.get_type().call1((decorated,));
        }
    }
    if function.is_instance_of::<CoroutineFunction>() || is_coroutine_function(function)? {
        return Ok(function.clone());
    }
    let decorated = class(py)?.call1((function,))?;
    py.import("functools")?.call_method1("update_wrapper", (&decorated, function))?;
    mark(&decorated, function)?;
    Ok(decorated)
}

fn is_coroutine_function(function: &Bound<'_, PyAny>) -> PyResult<bool> {
    imports::iscoroutinefunction(function.py())?.call1((function,))?.extract()
}

/// The class of what `coroutine()` returns: a subclass of [`CoroutineFunction`], so that attributes
/// can be set as they can on functions. PyO3 could give the class itself a `__dict__`, but on Python
/// 3.11 that is made when the collector can already see the object and the rest of it is not there.
fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.get_or_try_init(py, || {
        let bases = (py.get_type::<CoroutineFunction>(),);
        let namespace = [("__module__", "groundup._groundup")].into_py_dict(py)?;
        let class = py.get_type::<PyType>().call1(("CoroutineFunction", bases, namespace))?;
        PyResult::Ok(class.cast_into::<PyType>()?.unbind())
    })?;
    Ok(class.bind(py))
}

/// A function whose calls return coroutine objects.
#[pyclass(frozen, subclass, module = "groundup._groundup")]
#[derive(Debug)]
pub struct CoroutineFunction {
    calls: Calls,
    name: Py<PyString>,
    qualname: Py<PyString>,
}

/// What a call of a coroutine function comes to.
#[derive(Debug)]
enum Calls {
    /// A new generator of this function, whose code says that coroutines may be delegated to.
    Generator(Py<PyAny>),
    /// A call of this function, put off until the coroutine is resumed.
    Later(Py<PyAny>),
}

impl CoroutineFunction {
    /// Its name, for its coroutines to bear.
    pub fn name(&self) -> &Py<PyString> {
        &self.name
    }

    /// Its qualified name.
    pub fn qualname(&self) -> &Py<PyString> {
        &self.qualname
    }

    /// The code its coroutines run, where it is Python code.
    pub fn code<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let (Calls::Generator(function) | Calls::Later(function)) = &self.calls;
        function.bind(py).getattr_opt(intern!(py, "__code__"))
    }
}

#[pymethods]
impl CoroutineFunction {
    #[new]
    fn new(function: &Bound<'_, PyAny>) -> PyResult<Self> {
        if !function.is_callable() {
            let message = format!("coroutine() expects a callable, got {}", function.repr()?);
            return Err(PyTypeError::new_err(message));
        }
        let calls = match generator_function(function)? {
            Some(generator_function) => Calls::Generator(generator_function.unbind()),
            None => Calls::Later(function.clone().unbind()),
        };
        let name = |attribute: &str| match function.getattr_opt(attribute)? {
            Some(name) => PyResult::Ok(name.cast_into()?.unbind()),
            None => Ok(function.get_type().name()?.unbind()),
        };
        Ok(Self { calls, name: name("__name__")?, qualname: name("__qualname__")? })
    }

    #[pyo3(signature = (*args, **kwargs))]
    fn __call__<'py>(
        slf: &Bound<'py, Self>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<GeneratorCoroutine> {
        let stage = match &slf.get().calls {
            Calls::Generator(function) => {
                let generator = function.bind(slf.py()).call(args, kwargs)?;
                Stage::Resumable(PyCoroutine::of_awaitable(&generator)?)
            }
            Calls::Later(function) => Stage::Call {
                function: function.clone_ref(slf.py()),
                args: args.clone().unbind(),
                kwargs: kwargs.map(|kwargs| kwargs.clone().unbind()),
            },
        };
        Ok(GeneratorCoroutine::new(slf.clone().unbind(), stage))
    }

    /// A method of `instance`, as functions become.
    fn __get__<'py>(
        slf: &Bound<'py, Self>,
        instance: &Bound<'py, PyAny>,
        _owner: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        static METHOD: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        if instance.is_none() {
            return Ok(slf.clone().into_any());
        }
        METHOD.import(slf.py(), "types", "MethodType")?.call1((slf, instance))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.getattr("__qualname__")
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        format!("<coroutine function {} at {:p}>", slf.get().qualname, slf.as_ptr())
    }

    // There is nothing to clear: what it refers to never changes, and a cycle back to here goes
    // through the function's own attributes, or through the `__dict__`, which can be cleared.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let (Calls::Generator(function) | Calls::Later(function)) = &self.calls;
        visit.call(function)
    }
}

/// `function` itself, or rather a copy of it, when it is a generator function whose code says that
/// its generators can be awaited and may delegate to coroutines. The copy is what lets `function`
/// stay as it is.
fn generator_function<'py>(function: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    if !function.is_exact_instance_of::<PyFunction>() {
        return Ok(None);
    }
    let code = function.getattr("__code__")?;
    let flags: u32 = code.getattr("co_flags")?.extract()?;
    if flags & CO_GENERATOR == 0 {
        return Ok(None);
    }
    if flags & CO_ITERABLE_COROUTINE != 0 {
        return Ok(Some(function.clone()));
    }
    let code = with_flags(&code, flags | CO_ITERABLE_COROUTINE)?;
    let part = |name| function.getattr(name);
    let parts = (code, part("__globals__")?, part("__name__")?, part("__defaults__")?);
    let copy =
        function.get_type().call1((parts.0, parts.1, parts.2, parts.3, part("__closure__")?))?;
    for name in ["__kwdefaults__", "__qualname__"] {
        copy.setattr(name, part(name)?)?;
    }
    Ok(Some(copy))
}

/// A copy of a code object with other flags.
fn with_flags<'py>(code: &Bound<'py, PyAny>, flags: u32) -> PyResult<Bound<'py, PyAny>> {
    let flags = [("co_flags", flags)].into_py_dict(code.py())?;
    code.call_method("replace", (), Some(&flags))
}

/// Sets the marks by which `inspect` and asyncio recognise a coroutine function.
fn mark(decorated: &Bound<'_, PyAny>, function: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = function.py();
    if let Some(mark) = py.import("asyncio.coroutines")?.getattr_opt("_is_coroutine")? {
        decorated.setattr("_is_coroutine", mark)?;
    }
    match py.import("inspect")?.getattr_opt("markcoroutinefunction")? {
        Some(mark) => mark.call1((decorated,)).map(drop),
        None => mark_by_code(decorated, function),
    }
}

/// The mark that `inspect` of 3.11 knows: the flags in the code of what has all that a function has.
fn mark_by_code(decorated: &Bound<'_, PyAny>, function: &Bound<'_, PyAny>) -> PyResult<()> {
    let Some(code) = function.getattr_opt("__code__")? else { return Ok(()) };
    let flags = code.getattr("co_flags")?.extract::<u32>()?;
    let flags = flags & !(CO_GENERATOR | CO_ITERABLE_COROUTINE) | CO_COROUTINE;
    decorated.setattr("__code__", with_flags(&code, flags)?)?;
    for name in ["__defaults__", "__kwdefaults__"] {
        decorated.setattr(name, function.getattr(name)?)?;
    }
    Ok(())
}
