//! The same loop on other parts: the portable poller and the system's clock.

use std::io;
use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

use groundup::clock::{Clock, Monotonic};
use groundup::event_loop::{EventLoop, Host};
use groundup::poller::{Portable, Readiness};
use groundup::recorder::{Off, TaskId};

use crate::host::full_pipe;
use crate::limit::in_time;

type Loop = EventLoop<Counts, Portable, Monotonic, Off>;

/// A host that counts down and then stops.
struct Counts;

impl Host for Counts {
    type Task = u64;
    type Source = &'static str;
    type Error = io::Error;
    type Scope<'a> = &'a Loop;

    fn task_id(&left: &u64) -> TaskId {
        TaskId(left)
    }

    fn resume(events: &Loop, left: u64) -> io::Result<()> {
        match left {
            0 => events.stop(),
            _ => drop(events.wake_at(Monotonic.now().after(Duration::from_millis(1)), left - 1)),
        }
        Ok(())
    }

    fn dispatch(_: &Loop, name: &'static str, _: Readiness) -> io::Result<()> {
        Err(io::Error::other(name))
    }
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn timers_other_threads_and_events_reach_a_loop_on_the_portable_driver() {
    in_time(|| {
        let events = Loop::with_parts(Portable::new().unwrap(), Monotonic, Off);
        let (inbox, start) = (events.inbox().clone(), Monotonic.now());
        let other = thread::spawn(move || {
            thread::sleep(Duration::from_millis(5));
            inbox.push(5);
        });
        events.run(&events).unwrap();
        other.join().unwrap();
        assert!(Monotonic.now().since(start) >= Duration::from_millis(10));
        let (reader, _writer) = full_pipe();
        events.watch(reader.as_fd(), "the pipe's event", Readiness::READABLE).unwrap();
        assert_eq!(events.run(&events).unwrap_err().to_string(), "the pipe's event");
    });
}
