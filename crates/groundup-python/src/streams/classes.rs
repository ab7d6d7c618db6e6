//! Classes like those of `asyncio.streams`, which objects of those can be given in their place.
//!
//! They have the same layout and the same name, so that an object can change from one to the other
//! and back; and some methods in Rust.

use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};

use super::native_method::NativeMethod;
use super::{protocol, reader_attributes, reader_methods, writer};
use crate::{ffi, imports};

/// The classes for readers, their protocols and writers.
pub struct Classes {
    pub reader: NativeClass,
    pub protocol: NativeClass,
    pub writer: NativeClass,
}

/// A class that stands for one of asyncio's, its base.
pub struct NativeClass {
    class: Py<PyType>,
    base: Py<PyType>,
    /// The methods of the base that the class goes by, as they were when it was made.
    originals: Vec<(Py<PyAny>, Py<PyAny>)>,
    /// The version of the base at which it had them; 0 if that is unknown.
    version: AtomicU32,
}

/// What a class has beside what it inherits.
enum Members {
    Methods(&'static [NativeMethod]),
    Getters(&'static [NativeMethod]),
}

impl Classes {
    /// The classes; none if asyncio's streams are not those that they are made for.
    ///
    /// # Errors
    ///
    /// `ImportError`, `MemoryError`.
    pub fn get(py: Python<'_>) -> PyResult<Option<&Self>> {
        static CLASSES: PyOnceLock<Option<Classes>> = PyOnceLock::new();
        CLASSES.get_or_try_init(py, || Self::new(py)).map(Option::as_ref)
    }

    fn new(py: Python<'_>) -> PyResult<Option<Self>> {
        let streams = py.import("asyncio.streams")?;
        let class = |name: &str, members: &[Members], relied_on: &[&str]| {
            let base = streams.getattr(name)?.cast_into::<PyType>()?;
            NativeClass::new(&base, members, relied_on)
        };
        let reader = [
            Members::Methods(&reader_methods::METHODS),
            Members::Methods(&reader_attributes::METHODS),
            Members::Getters(&reader_attributes::GETTERS),
        ];
        let reader = class("StreamReader", &reader, &reader_methods::RELIED_ON)?;
        let protocol = [Members::Methods(&protocol::METHODS)];
        let protocol = class("StreamReaderProtocol", &protocol, &protocol::RELIED_ON)?;
        let writer = [Members::Methods(&writer::METHODS)];
        let writer = class("StreamWriter", &writer, &writer::RELIED_ON)?;
        let (Some(reader), Some(protocol), Some(writer)) = (reader, protocol, writer) else {
            return Ok(None);
        };
        Ok(Some(Self { reader, protocol, writer }))
    }
}

impl Members {
    fn add_to(&self, namespace: &Bound<'_, PyDict>, base: &Bound<'_, PyType>) -> PyResult<()> {
        let py = base.py();
        match self {
            Self::Methods(methods) => {
                for method in *methods {
                    // Before Python 3.14 there is no `_replace_transport`.
                    if let Some(function) = base.getattr_opt(method.name)? {
                        namespace.set_item(method.name, method.object(function)?)?;
                    }
                }
            }
            Self::Getters(getters) => {
                for getter in *getters {
                    let get = getter.object(py.None().into_bound(py))?;
                    let property = imports::property(py)?.call1((get,))?;
                    namespace.set_item(getter.name, property)?;
                }
            }
        }
        Ok(())
    }
}

impl NativeClass {
    fn new(
        base: &Bound<'_, PyType>,
        members: &[Members],
        relied_on: &[&str],
    ) -> PyResult<Option<Self>> {
        let py = base.py();
        let mut originals = Vec::new();
        for name in relied_on {
            let function = base.getattr(*name)?;
            if function.getattr("__module__")?.ne("asyncio.streams")? {
                return Ok(None);
            }
            originals.push((intern(py, name), function.unbind()));
        }
        let namespace = PyDict::new(py);
        for name in ["__module__", "__qualname__", "__doc__"] {
            namespace.set_item(name, base.getattr(name)?)?;
        }
        namespace.set_item("__slots__", PyTuple::empty(py))?;
        for members in members {
            members.add_to(&namespace, base)?;
        }
        let class = py.get_type::<PyType>().call1((base.name()?, (base,), namespace))?;
        let class = class.cast_into::<PyType>()?.unbind();
        Ok(Some(Self { class, base: base.clone().unbind(), originals, version: AtomicU32::new(0) }))
    }

    /// Whether an object is of this class.
    pub fn is_of(&self, object: &Bound<'_, PyAny>) -> bool {
        object.get_type_ptr() == self.class.as_ptr().cast::<pyo3::ffi::PyTypeObject>()
    }

    /// Whether an object is of asyncio's class.
    pub fn is_of_base(&self, object: &Bound<'_, PyAny>) -> bool {
        object.get_type_ptr() == self.base.as_ptr().cast::<pyo3::ffi::PyTypeObject>()
    }

    /// asyncio's class.
    pub fn base<'py>(&self, py: Python<'py>) -> &Bound<'py, PyType> {
        self.base.bind(py)
    }

    /// Whether an object is of asyncio's class and behaves as all of them do, no method being replaced.
    ///
    /// # Errors
    ///
    /// Those of looking them up.
    pub fn can_stand_for(&self, object: &Bound<'_, PyAny>) -> PyResult<bool> {
        if !self.is_of_base(object) {
            return Ok(false);
        }
        let attributes = attributes_of(object)?;
        for (name, _) in &self.originals {
            if attributes.contains(name)? {
                return Ok(false);
            }
        }
        self.has_originals(object.py())
    }

    fn has_originals(&self, py: Python<'_>) -> PyResult<bool> {
        let base = self.base(py);
        let version = ffi::version(base);
        if version != 0 && version == self.version.load(Ordering::Relaxed) {
            return Ok(true);
        }
        for (name, function) in &self.originals {
            if !base.getattr(name.bind(py).cast()?)?.is(function) {
                return Ok(false);
            }
        }
        self.version.store(ffi::version(base), Ordering::Relaxed);
        Ok(true)
    }

    /// Makes an object of asyncio's class one of this class.
    ///
    /// # Errors
    ///
    /// `TypeError`.
    pub fn take_over(&self, object: &Bound<'_, PyAny>) -> PyResult<()> {
        ffi::set_attribute(
            object,
            intern!(object.py(), "__class__"),
            Some(self.class.bind(object.py())),
        )
    }

    /// Makes an object of this class one of asyncio's.
    ///
    /// # Errors
    ///
    /// `TypeError`.
    pub fn give_back(&self, object: &Bound<'_, PyAny>) -> PyResult<()> {
        ffi::set_attribute(
            object,
            intern!(object.py(), "__class__"),
            Some(self.base.bind(object.py())),
        )
    }
}

/// The `__dict__` of an object.
///
/// # Errors
///
/// `AttributeError` when it has none.
pub fn attributes_of<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    Ok(object.getattr(intern!(object.py(), "__dict__"))?.cast_into()?)
}

fn intern(py: Python<'_>, name: &str) -> Py<PyAny> {
    pyo3::types::PyString::intern(py, name).into_any().unbind()
}
