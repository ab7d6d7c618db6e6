//! The driver for Linux: epoll for descriptors, an eventfd for notifications.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Weak};
use std::time::Duration;

use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};

use super::contract::{Event, Poller, Readiness, Token};
use crate::inbox::Notify;

/// Events taken from the kernel by one call; more are left for the next poll.
const BATCH: usize = 256;

/// The word of the notification's eventfd; no token has it, descriptors being below 2³¹.
const NOTIFICATION: u64 = u64::MAX;

/// A poller on epoll.
#[derive(Debug)]
pub struct Epoll {
    epoll: OwnedFd,
    notification: Arc<OwnedFd>,
}

impl Epoll {
    /// A poller that watches nothing yet.
    ///
    /// # Errors
    ///
    /// Those of `epoll_create1` and `eventfd`: no descriptors left, for example.
    pub fn new() -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        let notification = Arc::new(eventfd(0, flags)?);
        // Edge-triggered, each write is reported once and the counter need never be read.
        let flags = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(&epoll, &*notification, epoll::EventData::new_u64(NOTIFICATION), flags)?;
        Ok(Self { epoll, notification })
    }
}

impl AsFd for Epoll {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

impl Poller for Epoll {
    type Notifier = EventFd;

    fn add(&self, fd: BorrowedFd<'_>, token: Token, interest: Readiness) -> io::Result<()> {
        let data = epoll::EventData::new_u64(token.to_word());
        Ok(epoll::add(&self.epoll, fd, data, flags_of(interest))?)
    }

    fn modify(&self, fd: BorrowedFd<'_>, token: Token, interest: Readiness) -> io::Result<()> {
        let data = epoll::EventData::new_u64(token.to_word());
        Ok(epoll::modify(&self.epoll, fd, data, flags_of(interest))?)
    }

    fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, fd)?)
    }

    fn poll(&self, timeout: Option<Duration>, events: &mut Vec<Event>) -> io::Result<()> {
        let timeout = timeout.map(timespec_of);
        let mut buffer = [const { MaybeUninit::uninit() }; BATCH];
        let (ready, _) = epoll::wait(&self.epoll, &mut buffer, timeout.as_ref())?;
        events.extend(ready.iter().filter(|event| event.data.u64() != NOTIFICATION).map(|event| {
            let token = Token::from_word(event.data.u64());
            Event { token, readiness: readiness_of(event.flags) }
        }));
        Ok(())
    }

    fn notifier(&self) -> EventFd {
        EventFd(Arc::downgrade(&self.notification))
    }
}

fn flags_of(interest: Readiness) -> epoll::EventFlags {
    let mut flags = epoll::EventFlags::empty();
    flags.set(epoll::EventFlags::IN, interest.readable());
    flags.set(epoll::EventFlags::OUT, interest.writable());
    flags.set(epoll::EventFlags::ET, interest.is_edge());
    flags
}

/// Anything but the other direction counts: errors and hang-ups are for whoever listens.
fn readiness_of(flags: epoll::EventFlags) -> Readiness {
    let (mut readiness, read, write) =
        (Readiness::NONE, epoll::EventFlags::IN, epoll::EventFlags::OUT);
    if !flags.difference(write).is_empty() {
        readiness = readiness | Readiness::READABLE;
    }
    if !flags.difference(read).is_empty() {
        readiness = readiness | Readiness::WRITABLE;
    }
    readiness
}

/// Sleeps are capped at a day: kernels refuse very long ones, and waking once a day costs nothing.
fn timespec_of(timeout: Duration) -> Timespec {
    let timeout = timeout.min(Duration::from_secs(86_400));
    Timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: timeout.subsec_nanos().into() }
}

/// The eventfd through which any thread ends the sleep of an [`Epoll`], as long as there is one.
#[derive(Clone, Debug)]
pub struct EventFd(Weak<OwnedFd>);

impl Notify for EventFd {
    fn notify(&self) {
        if let Some(eventfd) = self.0.upgrade() {
            // The only error, a full counter, would take 2⁶⁴ notifications and still end the sleep.
            let _ = rustix::io::write(&*eventfd, &1u64.to_ne_bytes());
        }
    }
}
