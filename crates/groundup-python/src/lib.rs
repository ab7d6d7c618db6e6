//! The Python extension module `groundup._groundup`.

use pyo3::prelude::*;

#[pymodule]
mod _groundup {}
