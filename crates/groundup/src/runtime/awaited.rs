//! What a task waits for, as a recording says it.
//!
//! A future that is not ready says why; a task may have asked several in one step. A future that says
//! nothing has kept a waker.

use std::fmt::{self, Write};
use std::mem;
use std::os::fd::RawFd;

use super::lives::Lives;
use super::tasks::TaskKey;
use crate::timers::TimerKey;

/// More than these are not named.
const MOST: usize = 3;

/// What a future of this crate waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    Timer(TimerKey),
    Readable(RawFd),
    Writable(RawFd),
    /// The end of a task.
    Task(TaskKey),
}

impl Awaited {
    fn write(self, lives: &Lives, text: &mut String) -> fmt::Result {
        match self {
            Self::Timer(_) => text.write_str("timer"),
            Self::Readable(descriptor) => write!(text, "socket {descriptor} readable"),
            Self::Writable(descriptor) => write!(text, "socket {descriptor} writable"),
            Self::Task(key) => match lives.name(key) {
                Some(name) => write!(text, "task {name}"),
                None => write!(text, "task Task-{}", key.number()),
            },
        }
    }
}

/// Adds to `text` what a task waits for that has found all this not ready.
pub(super) fn write(awaited: &[Awaited], lives: &Lives, text: &mut String) -> fmt::Result {
    let mut is_timed = false;
    let is_new =
        |it: &&Awaited| !matches!(it, Awaited::Timer(_)) || !mem::replace(&mut is_timed, true);
    for (number, it) in awaited.iter().filter(is_new).enumerate() {
        match number {
            0 => {}
            MOST => return text.write_str(", …"),
            _ => text.write_str(", ")?,
        }
        it.write(lives, text)?;
    }
    if awaited.is_empty() { text.write_str("a waker") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::timers::Timers;

    fn said(awaited: &[Awaited]) -> String {
        let (mut text, mut lives) = (String::new(), Lives::default());
        lives.of(TaskKey::ROOT).name = Some("main".into());
        write(awaited, &lives, &mut text).unwrap();
        text
    }

    #[test]
    fn what_is_awaited_is_said_in_the_order_it_was_asked() {
        let mut timers = Timers::new();
        let timers: [_; 2] =
            std::array::from_fn(|_| Awaited::Timer(timers.insert(Timestamp(1), ())));
        let root = Awaited::Task(TaskKey::ROOT);
        assert_eq!(said(&[]), "a waker");
        assert_eq!(said(&timers), "timer");
        assert_eq!(
            said(&[Awaited::Readable(7), timers[0], root]),
            "socket 7 readable, timer, task main"
        );
    }

    #[test]
    fn what_is_more_than_a_few_is_not_said() {
        let four = [1, 2, 3, 4].map(Awaited::Writable);
        assert_eq!(said(&four), "socket 1 writable, socket 2 writable, socket 3 writable, …");
    }
}
