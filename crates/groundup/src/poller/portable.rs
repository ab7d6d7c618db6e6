//! The driver for everything else: the crate `polling` (kqueue, event ports, poll, epoll).

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use polling::PollMode;

use super::contract::{Event, Poller, Readiness, Token};
use crate::inbox::Notify;

/// A poller on the crate `polling`.
#[derive(Debug)]
pub struct Portable {
    poller: Arc<polling::Poller>,
    events: Mutex<polling::Events>,
}

impl Portable {
    /// A poller that watches nothing yet.
    ///
    /// # Errors
    ///
    /// Those of the system calls that set it up: no descriptors left, for example.
    pub fn new() -> io::Result<Self> {
        let poller = Arc::new(polling::Poller::new()?);
        if !poller.supports_level() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        Ok(Self { poller, events: Mutex::new(polling::Events::new()) })
    }

    fn mode_of(&self, interest: Readiness) -> io::Result<PollMode> {
        match interest.is_edge() {
            true if !self.poller.supports_edge() => Err(io::ErrorKind::Unsupported.into()),
            true => Ok(PollMode::Edge),
            false => Ok(PollMode::Level),
        }
    }
}

impl Poller for Portable {
    type Notifier = PortableNotifier;

    fn add(&self, fd: BorrowedFd<'_>, token: Token, interest: Readiness) -> io::Result<()> {
        let (interest, mode) = (interest_of(token, interest), self.mode_of(interest)?);
        // SAFETY: `polling` asks that the descriptor be removed before it is closed, lest it poll a
        // stranger's. Tokens carry a generation, so a stranger's event finds no source and is
        // dropped: no memory is reached through the descriptor.
        unsafe { self.poller.add_with_mode(fd.as_raw_fd(), interest, mode) }
    }

    fn modify(&self, fd: BorrowedFd<'_>, token: Token, interest: Readiness) -> io::Result<()> {
        let mode = self.mode_of(interest)?;
        self.poller.modify_with_mode(fd, interest_of(token, interest), mode)
    }

    fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.poller.delete(fd)
    }

    fn poll(&self, timeout: Option<Duration>, events: &mut Vec<Event>) -> io::Result<()> {
        let mut ready = self.events.lock().unwrap();
        ready.clear();
        self.poller.wait(&mut ready, timeout)?;
        events.extend(ready.iter().map(|event| Event {
            token: Token::from_word(event.key as u64),
            readiness: readiness_of(&event),
        }));
        Ok(())
    }

    fn notifier(&self) -> PortableNotifier {
        PortableNotifier(Arc::downgrade(&self.poller))
    }
}

fn interest_of(token: Token, interest: Readiness) -> polling::Event {
    polling::Event::new(token.to_word() as usize, interest.readable(), interest.writable())
}

fn readiness_of(event: &polling::Event) -> Readiness {
    let failed = event.is_interrupt() || event.is_err() == Some(true);
    let mut readiness = Readiness::NONE;
    if event.readable || failed {
        readiness = readiness | Readiness::READABLE;
    }
    if event.writable || failed {
        readiness = readiness | Readiness::WRITABLE;
    }
    readiness
}

/// Ends the sleep of a [`Portable`], as long as there is one.
#[derive(Clone, Debug)]
pub struct PortableNotifier(Weak<polling::Poller>);

impl Notify for PortableNotifier {
    fn notify(&self) {
        if let Some(poller) = self.0.upgrade() {
            // There is nobody to tell of an error, and no other way to wake the loop.
            let _ = poller.notify();
        }
    }
}
