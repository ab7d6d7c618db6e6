//! Frames: which line of which function runs, or stands still.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// The innermost frame of this thread whose code is wanted: its code, and the line that it is at.
pub fn find_frame<'py>(
    py: Python<'py>,
    is_wanted: impl Fn(&Bound<'py, PyAny>) -> bool,
) -> Option<(Bound<'py, PyAny>, u32)> {
    // SAFETY: the lock is held. The thread's frame is borrowed, or null when no Python code runs; it is
    // live, as are those that it was called from.
    let mut frame = unsafe {
        let innermost = ffi::PyEval_GetFrame();
        Bound::from_borrowed_ptr_or_opt(py, innermost.cast())?
    };
    loop {
        let code = code_of(&frame);
        if is_wanted(&code) {
            let line = line_of(&frame);
            return Some((code, line));
        }
        // SAFETY: `frame` is a frame, the lock is held, and the result is a new reference or null.
        frame = unsafe {
            let back = ffi::PyFrame_GetBack(frame.as_ptr().cast());
            Bound::from_owned_ptr_or_opt(py, back.cast())?
        };
    }
}

/// The line that a frame is at, 0 if that is not known or the object is no frame.
pub fn current_line(frame: &Bound<'_, PyAny>) -> u32 {
    // SAFETY: compares the type of a live object.
    if unsafe { ffi::PyFrame_Check(frame.as_ptr()) } == 0 { 0 } else { line_of(frame) }
}

/// What a local variable of a frame is bound to; `None` if to nothing, or if the object is no frame.
#[cfg(Py_3_12)]
pub fn local<'py>(
    frame: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> Option<Bound<'py, PyAny>> {
    // SAFETY: the type of a live object is compared first; the result is a new reference, or null with
    // an exception.
    let value = unsafe {
        if ffi::PyFrame_Check(frame.as_ptr()) == 0 {
            return None;
        }
        let value = ffi::PyFrame_GetVar(frame.as_ptr().cast(), name.as_ptr());
        Bound::from_owned_ptr_or_err(frame.py(), value)
    };
    value.ok()
}

/// What a local variable of a frame is bound to; `None` if to nothing, or if the object is no frame.
#[cfg(not(Py_3_12))]
pub fn local<'py>(
    frame: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> Option<Bound<'py, PyAny>> {
    frame.getattr(pyo3::intern!(frame.py(), "f_locals")).ok()?.get_item(name).ok()
}

fn code_of<'py>(frame: &Bound<'py, PyAny>) -> Bound<'py, PyAny> {
    // SAFETY: the callers pass a frame; the result is a new reference, never null.
    unsafe {
        let code = ffi::PyFrame_GetCode(frame.as_ptr().cast());
        Bound::from_owned_ptr(frame.py(), code.cast())
    }
}

fn line_of(frame: &Bound<'_, PyAny>) -> u32 {
    // SAFETY: the callers pass a frame, and the lock is held.
    unsafe { ffi::PyFrame_GetLineNumber(frame.as_ptr().cast()) }.try_into().unwrap_or(0)
}
