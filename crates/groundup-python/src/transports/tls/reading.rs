//! From the peer to the application.

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView};

use super::TlsProtocol;
use super::session::Progress;
use super::state::{AppPhase, Phase};
use crate::{errors, imports, streams};

impl TlsProtocol {
    /// Takes in what the lower transport has received, as the method `data_received` does.
    ///
    /// # Errors
    ///
    /// `TypeError` when they are not bytes; `SystemExit` and `KeyboardInterrupt` of the application.
    pub fn receive(tls: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        tls.get().session.feed(tls.py(), data)?;
        match tls.get().state(tls.py()).phase.get() {
            Phase::Handshake => Self::shake_hands(tls),
            _ => Self::go_on(tls),
        }
    }

    /// Goes on with what the session is doing.
    pub(super) fn go_on(tls: &Bound<'_, Self>) -> PyResult<()> {
        match tls.get().state(tls.py()).phase.get() {
            Phase::Wrapped => Self::read(tls),
            Phase::Flushing => Self::flush(tls),
            Phase::Shutdown => Self::shut_down(tls),
            Phase::Unwrapped | Phase::Handshake => Ok(()),
        }
    }

    /// Gives the application what has arrived for it.
    pub(super) fn read(tls: &Bound<'_, Self>) -> PyResult<()> {
        let py = tls.py();
        if !matches!(tls.get().state(py).phase.get(), Phase::Wrapped | Phase::Flushing) {
            return Ok(());
        }
        match Self::read_and_answer(tls) {
            Err(error) if error.is_instance_of::<PyException>(py) => {
                Self::fatal_error(tls, error, "Fatal error on SSL protocol")
            }
            outcome => outcome,
        }
    }

    fn read_and_answer(tls: &Bound<'_, Self>) -> PyResult<()> {
        let state = tls.get().state(tls.py());
        if !state.is_app_reading_paused.get() {
            if state.is_app_buffered.get() {
                Self::read_into_app(tls)?;
            } else {
                Self::read_for_app(tls)?;
            }
            Self::encrypt(tls)?;
        }
        Self::control_lower_reading(tls)
    }

    fn read_for_app(tls: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (tls.py(), tls.get());
        let spares = this.event_loop.get().spares(py);
        let received = this.session.read(py, spares)?;
        if let Some(data) = received.data {
            this.hand_up(data.bytes())?;
            spares.lend(data);
        }
        if received.is_end {
            return Self::end_by_peer(tls);
        }
        if received.is_part { Self::read_soon(tls) } else { Ok(()) }
    }

    fn hand_up(&self, data: &Bound<'_, PyBytes>) -> PyResult<()> {
        let (py, state) = (data.py(), self.state(data.py()));
        let Some(protocol) = self.app_protocol(py) else { return Ok(()) };
        if streams::deliver(&state.app_protocol, &state.reader, data)? {
            return Ok(());
        }
        protocol.call_method1(intern!(py, "data_received"), (data,)).map(drop)
    }

    /// Reads on in the loop's next turn.
    fn read_soon(tls: &Bound<'_, Self>) -> PyResult<()> {
        let read_on = tls.getattr(intern!(tls.py(), "_read_on"))?;
        Self::call_soon(tls, &read_on, [])
    }

    fn read_into_app(tls: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (tls.py(), tls.get());
        let Some(protocol) = this.app_protocol(py) else { return Ok(()) };
        let hint = this.session.incoming_len(py)?;
        let buffer = protocol.call_method1(intern!(py, "get_buffer"), (hint,))?;
        let size = PyUntypedBuffer::get(&buffer)?.len_bytes();
        let (mut filled, mut is_end) = (0, false);
        while filled < size && this.session.has_input(py)? {
            let rest = PyMemoryView::from(&buffer)?.call_method1("cast", ("B",))?;
            let rest =
                rest.get_item(pyo3::types::PySlice::new(py, filled as isize, size as isize, 1))?;
            match this.session.read_into(py, size - filled, &rest)? {
                Progress::Again => break,
                Progress::Done(0) => {
                    is_end = true;
                    break;
                }
                Progress::Done(count) => filled += count,
            }
        }
        if filled > 0 {
            protocol.call_method1(intern!(py, "buffer_updated"), (filled,))?;
        }
        if is_end {
            return Self::end_by_peer(tls);
        }
        if filled == size && size > 0 { Self::read_soon(tls) } else { Ok(()) }
    }

    /// The peer has said that it sends no more: so it ends from this side too.
    fn end_by_peer(tls: &Bound<'_, Self>) -> PyResult<()> {
        Self::pass_eof_up(tls)?;
        Self::start_shutdown(tls)
    }

    pub(super) fn pass_eof_up(tls: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (tls.py(), tls.get());
        let state = this.state(py);
        if state.app_phase.get() != AppPhase::Connected {
            return Ok(());
        }
        state.app_phase.set(AppPhase::GotEof);
        let Some(protocol) = this.app_protocol(py) else { return Ok(()) };
        let outcome = protocol.call_method0(intern!(py, "eof_received"));
        match outcome.and_then(|keep_open| keep_open.is_truthy()) {
            Ok(false) => Ok(()),
            Ok(true) => {
                let message = "returning true from eof_received() has no effect when using ssl";
                imports::logger(py)?.call_method1("warning", (message,)).map(drop)
            }
            Err(error) if errors::ends_run(py, &error) => Err(error),
            Err(error) => Self::fatal_error(tls, error, "Error calling eof_received()"),
        }
    }

    /// The lower transport has received an end of file; true if it is to stay open.
    pub(super) fn receive_eof(tls: &Bound<'_, Self>) -> PyResult<bool> {
        let (py, this) = (tls.py(), tls.get());
        this.state(py).got_lower_eof.set(true);
        this.log_debug(py, "%r received EOF", tls)?;
        let outcome = Self::end_by_eof(tls);
        if let Err(error) = &outcome
            && error.is_instance_of::<PyException>(py)
            && let Some(lower) = this.lower(py)
        {
            lower.call_method0(intern!(py, "close"))?;
        }
        outcome
    }

    fn end_by_eof(tls: &Bound<'_, Self>) -> PyResult<bool> {
        let state = tls.get().state(tls.py());
        match state.phase.get() {
            Phase::Handshake => Self::reset_handshake(tls)?,
            Phase::Wrapped => {
                state.phase.set(Phase::Flushing);
                if state.is_app_reading_paused.get() {
                    return Ok(true);
                }
                Self::flush(tls)?;
            }
            Phase::Flushing => {
                Self::encrypt(tls)?;
                state.phase.set(Phase::Shutdown);
                Self::shut_down(tls)?;
            }
            Phase::Shutdown => Self::shut_down(tls)?,
            Phase::Unwrapped => {}
        }
        Ok(false)
    }

    /// Lets the lower transport wait while much has arrived that the application does not take.
    pub(super) fn control_lower_reading(tls: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (tls.py(), tls.get());
        let state = this.state(py);
        let Some(lower) = this.lower(py) else { return Ok(()) };
        let (waiting, limits) = (this.session.incoming_len(py)?, state.read_limits.get());
        if waiting >= limits.high && !state.is_lower_paused.replace(true) {
            lower.call_method0(intern!(py, "pause_reading"))?;
        } else if waiting <= limits.low && state.is_lower_paused.get() {
            state.is_lower_paused.set(false);
            lower.call_method0(intern!(py, "resume_reading"))?;
        }
        Ok(())
    }
}
