//! The sources of a loop: which descriptors it watches, and for whom.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use super::{EventLoop, Host};
use crate::clock::Clock;
use crate::poller::{Poller, Readiness};
use crate::recorder::Recorder;
use crate::sources::Watch;

impl<H: Host, P: Poller, C: Clock, R: Recorder> EventLoop<H, P, C, R> {
    /// Watches a descriptor for a source. An empty interest only enters the source in the table.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` when a source watches it already; `InvalidInput` when it is negative; those
    /// of [`Poller::add`].
    pub fn watch(
        &self,
        fd: BorrowedFd<'_>,
        source: H::Source,
        interest: Readiness,
    ) -> io::Result<()> {
        let descriptor = fd.as_raw_fd();
        if descriptor < 0 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut sources = self.sources.borrow_mut();
        if sources.get(descriptor).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let token = sources.next_token(descriptor);
        if !interest.is_none() {
            // A registration may be left over from a source that closed its descriptor unseen.
            self.with_poller(|poller| {
                or_else_on(poller.add(fd, token, interest), io::ErrorKind::AlreadyExists, || {
                    poller.modify(fd, token, interest)
                })
            })?;
        }
        sources.insert(Watch::new(token, interest, source));
        self.pace.hurry();
        Ok(())
    }

    /// Changes what a watched descriptor's source wants to hear of.
    ///
    /// # Errors
    ///
    /// `NotFound` when no source watches it; those of the [`Poller`].
    pub fn set_interest(&self, fd: BorrowedFd<'_>, interest: Readiness) -> io::Result<()> {
        let mut sources = self.sources.borrow_mut();
        let watch = sources.get_mut(fd.as_raw_fd()).ok_or(io::ErrorKind::NotFound)?;
        if watch.interest != interest {
            self.change_registration(fd, watch, interest)?;
            watch.set_interest(interest, self.polls.get());
            self.pace.hurry();
        }
        Ok(())
    }

    fn change_registration(
        &self,
        fd: BorrowedFd<'_>,
        watch: &Watch<H::Source>,
        interest: Readiness,
    ) -> io::Result<()> {
        let token = watch.token;
        self.with_poller(|poller| match (watch.interest.is_none(), interest.is_none()) {
            (true, _) => poller.add(fd, token, interest),
            (false, true) => poller.remove(fd),
            // The descriptor may have been closed and opened again under the source.
            (false, false) => {
                or_else_on(poller.modify(fd, token, interest), io::ErrorKind::NotFound, || {
                    poller.add(fd, token, interest)
                })
            }
        })
    }

    /// Ends the watch of a descriptor, which may be closed already, and gives its source back.
    pub fn unwatch(&self, fd: BorrowedFd<'_>) -> Option<H::Source> {
        let watch = self.sources.borrow_mut().remove(fd.as_raw_fd())?;
        if !watch.interest.is_none() {
            // A closed descriptor has left the poller by itself.
            let _ = self.with_poller(|poller| poller.remove(fd));
        }
        Some(watch.source)
    }

    /// The source that watches a descriptor.
    pub fn source(&self, descriptor: RawFd) -> Option<H::Source> {
        self.sources.borrow().get(descriptor).map(|watch| watch.source.clone())
    }

    /// The directions in which a descriptor is watched.
    pub fn interest(&self, descriptor: RawFd) -> Readiness {
        self.sources.borrow().get(descriptor).map_or(Readiness::NONE, |watch| watch.interest)
    }

    /// The sources, each with its descriptor and what it wants to hear of.
    pub fn watches(&self) -> Vec<(i32, Readiness, H::Source)> {
        let sources = self.sources.borrow();
        sources
            .iter()
            .map(|watch| (watch.token.descriptor, watch.interest, watch.source.clone()))
            .collect()
    }
}

fn or_else_on(
    outcome: io::Result<()>,
    kind: io::ErrorKind,
    otherwise: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == kind => otherwise(),
        outcome => outcome,
    }
}
