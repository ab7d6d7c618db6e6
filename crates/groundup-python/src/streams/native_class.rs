//! A class that stands for one of asyncio's: made at run time, with some methods in Rust.
//!
//! Objects of most such classes were asyncio's and can be again: the layout is the same. Those of a class
//! with a slot are made here, and stay what they are. It must not know what the methods do.

use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use super::adoption::state_name;
use super::native_method::NativeMethod;
use crate::ffi::SlotPlace;
use crate::{ffi, imports};

/// A class that stands for one of asyncio's, its base.
pub struct NativeClass {
    class: Py<PyType>,
    base: Py<PyType>,
    /// The methods of the base that the class goes by, as they were when it was made.
    originals: Vec<(Py<PyAny>, Py<PyAny>)>,
    /// The version of the base at which it had them; 0 if that is unknown.
    version: AtomicU32,
    /// Where its objects keep their state, if not in their `__dict__`.
    slot: Option<SlotPlace>,
}

/// What a class has beside what it inherits.
#[derive(Clone, Copy)]
pub enum Members {
    Methods(&'static [NativeMethod]),
    Getters(&'static [NativeMethod]),
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
    /// A class for the objects of `base`, with members of its own and perhaps a slot for their state; none
    /// if a method that it relies on is not asyncio's.
    ///
    /// # Errors
    ///
    /// What making a class raises.
    pub fn new(
        base: &Bound<'_, PyType>,
        members: &[Members],
        relied_on: &[&str],
        slots: &[&str],
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
        namespace.set_item("__slots__", PyTuple::new(py, slots)?)?;
        for members in members {
            members.add_to(&namespace, base)?;
        }
        let class = py.get_type::<PyType>().call1((base.name()?, (base,), namespace))?;
        let class = class.cast_into::<PyType>()?;
        let slot = if slots.is_empty() { None } else { SlotPlace::of(&class, base)? };
        if slot.is_some() == slots.is_empty() {
            return Ok(None);
        }
        let (class, base, version) = (class.unbind(), base.clone().unbind(), AtomicU32::new(0));
        Ok(Some(Self { class, base, originals, version, slot }))
    }

    /// A new object with a state; the class is one whose objects have a slot for it.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    pub fn create<'py>(&self, state: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let (py, class) = (state.py(), self.class.bind(state.py()));
        let object = class.call_method1(intern!(py, "__new__"), (class,))?;
        ffi::set_attribute(&object, state_name(py), Some(state))?;
        Ok(object)
    }

    /// The state of an object of this class, if it has one still.
    pub fn state<'py>(&self, object: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
        match self.slot {
            Some(slot) if self.is_of(object) => ffi::slot(object, slot),
            Some(_) => None,
            None => ffi::kept(object, state_name(object.py())),
        }
    }

    /// Sets an attribute, or deletes it, of an object that was given back. Those that asyncio keeps in
    /// the `__dict__` go there, past what the class has under their names.
    ///
    /// # Errors
    ///
    /// Those of `object.__setattr__`.
    pub fn set<'py>(
        &self,
        object: &Bound<'py, PyAny>,
        name: &Bound<'py, PyString>,
        value: Option<&Bound<'py, PyAny>>,
        is_asyncios: bool,
    ) -> PyResult<()> {
        match (self.slot, value) {
            (Some(_), _) if is_asyncios => ffi::keep(object, name, value),
            (Some(_), Some(class)) if name == "__class__" => {
                let class = self.class_like(class.cast()?)?;
                ffi::set_attribute(object, name, Some(&class))
            }
            _ => ffi::set_attribute(object, name, value),
        }
    }

    /// A class that inherits from a given one first, and has the layout of this one.
    fn class_like<'py>(&self, given: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
        let (py, class) = (given.py(), self.class.bind(given.py()));
        if class.is_subclass(given)? {
            return Ok(class.clone().into_any());
        }
        let namespace = PyDict::new(py);
        for name in ["__module__", "__qualname__", "__doc__"] {
            namespace.set_item(name, given.getattr(name)?)?;
        }
        namespace.set_item("__slots__", PyTuple::empty(py))?;
        py.get_type::<PyType>().call1((given.name()?, (given, class), namespace))
    }

    /// Whether an object is of this class.
    pub fn is_of(&self, object: &Bound<'_, PyAny>) -> bool {
        object.get_type_ptr() == self.class.as_ptr().cast::<pyo3::ffi::PyTypeObject>()
    }

    /// Whether the class of an object was derived from this class.
    pub fn is_base_of(&self, object: &Bound<'_, PyAny>) -> bool {
        object.get_type().is_subclass(self.class.bind(object.py())).unwrap_or(false)
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

    /// Makes an object of this class one of asyncio's, without its state; one with a slot stays of this
    /// class, whose methods are asyncio's for what has no state.
    ///
    /// # Errors
    ///
    /// `TypeError`.
    pub fn give_back(&self, object: &Bound<'_, PyAny>) -> PyResult<()> {
        if self.state(object).is_some() {
            ffi::set_attribute(object, state_name(object.py()), None)?;
        }
        if self.slot.is_some() {
            return Ok(());
        }
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
