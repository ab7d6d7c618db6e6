//! A poller to look into: epoll that fails when it is told to, and counts its notifications.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use groundup::inbox::Notify;
use groundup::poller::{Epoll, Event, EventFd, Poller, Readiness, Token};

/// Epoll that fails when it is told to, and counts its notifications.
pub struct Probe {
    epoll: Epoll,
    failure: Mutex<Option<io::Error>>,
    pub notifications: Arc<AtomicUsize>,
}

impl Probe {
    pub fn new() -> Self {
        let epoll = Epoll::new().unwrap();
        Self { epoll, failure: Mutex::default(), notifications: Arc::default() }
    }

    /// Makes the next poll fail.
    pub fn fail(&self, error: impl Into<io::Error>) {
        *self.failure.lock().unwrap() = Some(error.into());
    }
}

impl Poller for Probe {
    type Notifier = CountingNotifier;

    fn add(&self, fd: BorrowedFd<'_>, token: Token, interest: Readiness) -> io::Result<()> {
        self.epoll.add(fd, token, interest)
    }

    fn modify(&self, fd: BorrowedFd<'_>, token: Token, interest: Readiness) -> io::Result<()> {
        self.epoll.modify(fd, token, interest)
    }

    fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.epoll.remove(fd)
    }

    fn poll(&self, timeout: Option<Duration>, events: &mut Vec<Event>) -> io::Result<()> {
        match self.failure.lock().unwrap().take() {
            Some(error) => Err(error),
            None => self.epoll.poll(timeout, events),
        }
    }

    fn notifier(&self) -> CountingNotifier {
        CountingNotifier { wire: self.epoll.notifier(), count: self.notifications.clone() }
    }
}

/// Epoll's own notifier, counting.
pub struct CountingNotifier {
    wire: EventFd,
    count: Arc<AtomicUsize>,
}

impl Notify for CountingNotifier {
    fn notify(&self) {
        self.count.fetch_add(1, Relaxed);
        self.wire.notify();
    }
}
