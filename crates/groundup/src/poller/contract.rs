//! What every poller promises.

use std::io;
use std::ops::{BitAnd, BitOr};
use std::os::fd::{BorrowedFd, RawFd};
use std::time::Duration;

use crate::inbox::Notify;

/// Directions of a descriptor: those a source is interested in, or those an event says are ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness(u8);

impl Readiness {
    /// Neither direction.
    pub const NONE: Self = Self(0);
    /// Reading.
    pub const READABLE: Self = Self(1);
    /// Writing.
    pub const WRITABLE: Self = Self(2);
    /// Both directions.
    pub const BOTH: Self = Self(3);
    /// Beside the directions of an interest: each is reported when it becomes ready, and again when
    /// more happens to it, but not for as long as it stays ready.
    pub const EDGE: Self = Self(4);

    /// Whether reading is among them.
    pub const fn readable(self) -> bool {
        self.0 & Self::READABLE.0 != 0
    }

    /// Whether writing is among them.
    pub const fn writable(self) -> bool {
        self.0 & Self::WRITABLE.0 != 0
    }

    /// Whether only changes are to be reported.
    pub const fn is_edge(self) -> bool {
        self.0 & Self::EDGE.0 != 0
    }

    /// Whether there is none.
    pub const fn is_none(self) -> bool {
        self.0 & Self::BOTH.0 == 0
    }

    /// These without `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for Readiness {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Readiness {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// Names a registration: a descriptor and the generation of the source that watches it.
///
/// Descriptors are used again as soon as they are closed; the generation tells an event for the
/// source that was meant from one for its predecessor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// The descriptor.
    pub descriptor: RawFd,
    /// Which of the sources that have watched it.
    pub generation: u32,
}

impl Token {
    /// The token as one word, as kernels carry it.
    pub const fn to_word(self) -> u64 {
        (self.generation as u64) << 32 | self.descriptor as u32 as u64
    }

    /// The token of a word made by [`Token::to_word`].
    pub const fn from_word(word: u64) -> Self {
        Self { descriptor: word as u32 as RawFd, generation: (word >> 32) as u32 }
    }
}

/// A descriptor is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whose it is.
    pub token: Token,
    /// In which directions. An error or a hang-up counts as both: the next call on the descriptor
    /// tells what happened.
    pub readiness: Readiness,
}

/// Waits for descriptors to become ready, level-triggered unless the interest has
/// [`Readiness::EDGE`]: a direction that stays ready is reported by every poll.
///
/// All methods take `&self`, so that a descriptor can be added while another thread sleeps in
/// [`Poller::poll`]; the change takes effect on that sleep.
pub trait Poller: Sync {
    /// What ends a sleep from another thread.
    type Notifier: Notify + 'static;

    /// Starts to watch a descriptor for `interest`, which must not be empty.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` when it is watched already, `EPERM` when it cannot be polled (a regular
    /// file), and other errors of the system call.
    fn add(&self, fd: BorrowedFd<'_>, token: Token, interest: Readiness) -> io::Result<()>;

    /// Changes the token and the interest of a watched descriptor.
    ///
    /// # Errors
    ///
    /// `NotFound` when it is not watched, and other errors of the system call.
    fn modify(&self, fd: BorrowedFd<'_>, token: Token, interest: Readiness) -> io::Result<()>;

    /// Stops watching a descriptor.
    ///
    /// # Errors
    ///
    /// `NotFound` when it is not watched, and other errors of the system call.
    fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()>;

    /// Waits until a descriptor is ready, a notification comes, or `timeout` has passed (`None`:
    /// without end), and adds what is ready to `events`.
    ///
    /// # Errors
    ///
    /// `Interrupted` when a signal came first, from drivers that hear of it ([`Epoll`](super::Epoll)
    /// does, [`Portable`](super::Portable) sleeps on); and other errors of the system call.
    fn poll(&self, timeout: Option<Duration>, events: &mut Vec<Event>) -> io::Result<()>;

    /// A new end of the wire that ends a sleep.
    fn notifier(&self) -> Self::Notifier;
}
