//! Who has sent datagrams lately: their addresses as Python has them, most often needed again at once.
//!
//! A server that has many clients hears the same few of them again and again, and answers to the very
//! address that it was given. Neither is worth writing, or reading, the address anew.

use std::cell::{Cell, RefCell};
use std::net::{IpAddr, SocketAddr};

use pyo3::prelude::*;

/// How many senders are remembered; each has one place, by its address.
const PLACES: usize = 32;

/// An address, and what Python has for it.
type Sender = (SocketAddr, Py<PyAny>);

/// The senders of the last datagrams.
#[derive(Default)]
pub struct Senders {
    /// Made when there is one.
    places: RefCell<Vec<Option<Sender>>>,
    last: Cell<usize>,
}

impl Senders {
    /// What Python has for the address of a sender, by `make` if it is not known.
    ///
    /// # Errors
    ///
    /// Those of `make`.
    pub fn address_of<'py>(
        &self,
        py: Python<'py>,
        sender: SocketAddr,
        make: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let place = place_of(&sender);
        self.last.set(place);
        if let Some(Some((known, address))) = self.places.borrow().get(place)
            && *known == sender
        {
            return Ok(address.bind(py).clone());
        }
        let address = make()?;
        let mut places = self.places.borrow_mut();
        places.resize_with(PLACES, || None);
        // A tuple of text and numbers: dropping the one before runs no Python code.
        places[place] = Some((sender, address.clone().unbind()));
        Ok(address)
    }

    /// The sender of the last datagram, if this very object was given for its address.
    pub fn last_if(&self, address: &Bound<'_, PyAny>) -> Option<SocketAddr> {
        match self.places.borrow().get(self.last.get()) {
            Some(Some((sender, known))) if known.is(address) => Some(*sender),
            _ => None,
        }
    }

    /// Lets go of all.
    pub fn clear(&self) {
        drop(self.places.take());
    }
}

fn place_of(sender: &SocketAddr) -> usize {
    let host = match sender.ip() {
        IpAddr::V4(v4) => u32::from(v4),
        IpAddr::V6(v6) => v6.to_bits() as u32,
    };
    (usize::from(sender.port()) ^ host as usize) % PLACES
}
