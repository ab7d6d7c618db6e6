//! What applications hand over to be sent: bytes-like objects.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView};

/// Says that an object is none of bytes, bytearray and memoryview.
///
/// # Errors
///
/// `TypeError` naming its type.
pub fn check_bytes_like(data: &Bound<'_, PyAny>) -> PyResult<()> {
    let is_bytes_like = data.is_instance_of::<PyBytes>()
        || data.is_instance_of::<PyByteArray>()
        || data.is_instance_of::<PyMemoryView>();
    if is_bytes_like {
        return Ok(());
    }
    let kind = data.get_type().name()?;
    let message = format!("data argument must be a bytes-like object, not '{kind}'");
    Err(PyTypeError::new_err(message))
}

/// The bytes of a bytes-like object, which nobody can change any more.
///
/// # Errors
///
/// Those of [`check_bytes_like`].
pub fn frozen<'py>(data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    if let Ok(bytes) = data.cast_exact::<PyBytes>() {
        return Ok(bytes.clone());
    }
    check_bytes_like(data)?;
    Ok(data.py().get_type::<PyBytes>().call1((data,))?.cast_into::<PyBytes>()?)
}
