//! Classes like those of `asyncio.streams`, which objects of those can be given in their place.
//!
//! They have the same names, and some methods in Rust. Those for accepted connections have a slot for the
//! state of their objects; the others have the same layout, so that an object can change from one to the
//! other and back.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use super::adoption::state_name;
use super::native_class::{Members, NativeClass};
use super::{protocol, reader_methods, writer};

/// The classes for readers, their protocols and writers.
pub struct Classes {
    pub reader: NativeClass,
    pub protocol: NativeClass,
    pub writer: NativeClass,
    /// The reader of an accepted connection, which is made by this module.
    pub accepted_reader: NativeClass,
    pub accepted_writer: NativeClass,
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
        let base = |name: &str| PyResult::Ok(streams.getattr(name)?.cast_into::<PyType>()?);
        let base = (base("StreamReader")?, base("StreamReaderProtocol")?, base("StreamWriter")?);
        let slots = [state_name(py).to_str()?];
        let [methods, getters] = writer::MEMBERS;
        let protocols = [Members::Methods(&protocol::METHODS)];
        let (readers, relied_on) = (&reader_methods::MEMBERS, &reader_methods::RELIED_ON);
        let reader = NativeClass::new(&base.0, readers, relied_on, &[])?;
        let accepted_reader = NativeClass::new(&base.0, readers, relied_on, &slots)?;
        let protocol = NativeClass::new(&base.1, &protocols, &protocol::RELIED_ON, &[])?;
        let relied_on = &writer::RELIED_ON;
        let writer = NativeClass::new(&base.2, &[methods], relied_on, &[])?;
        let accepted_writer = NativeClass::new(&base.2, &[methods, getters], relied_on, &slots)?;
        let readers = reader.zip(accepted_reader);
        let writers = writer.zip(accepted_writer);
        Ok(readers.zip(protocol).zip(writers).map(|((readers, protocol), writers)| Self {
            reader: readers.0,
            accepted_reader: readers.1,
            protocol,
            writer: writers.0,
            accepted_writer: writers.1,
        }))
    }

    /// The class of a reader, if it is one of these.
    pub fn of_reader(&self, reader: &Bound<'_, PyAny>) -> Option<&NativeClass> {
        let classes = [&self.accepted_reader, &self.reader];
        let derived = || Some(&self.accepted_reader).filter(|class| class.is_base_of(reader));
        classes.into_iter().find(|class| class.is_of(reader)).or_else(derived)
    }

    /// The class of a writer, if it is one of these.
    pub fn of_writer(&self, writer: &Bound<'_, PyAny>) -> Option<&NativeClass> {
        let classes = [&self.accepted_writer, &self.writer];
        let derived = || Some(&self.accepted_writer).filter(|class| class.is_base_of(writer));
        classes.into_iter().find(|class| class.is_of(writer)).or_else(derived)
    }
}
