//! What a recorder hears, and when; and that one which hears nothing weighs nothing.

use std::io::{self, Write, pipe};
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use groundup::clock::{Timestamp, Virtual};
use groundup::event_loop::EventLoop;
use groundup::poller::{Epoll, Readiness};
use groundup::recorder::Off;

use crate::host::{Closures, Diary, Failure, World, note, source, task};

#[test]
fn the_recorder_that_does_not_listen_takes_no_space() {
    assert_eq!(size_of::<Off>(), 0);
    let silent = size_of::<EventLoop<Closures, Epoll, Virtual, Off>>();
    assert!(silent < size_of::<EventLoop<Closures, Epoll, Virtual, Diary>>());
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_task_is_heard_when_it_is_woken_and_around_its_step() {
    let world = World::new();
    world.wake(["a"]);
    assert_eq!(world.lines(), ["(wake a)"]);
    world.turn();
    let expected = [
        "(poll for Some(0ns) begins)",
        "(poll ends with 0)",
        "(step a begins)",
        "a",
        "(step ends)",
    ];
    assert_eq!(world.lines(), expected);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_step_that_fails_is_heard_to_its_end() {
    let world = World::new();
    world.events.wake(task("a", |_| Err(Failure::Wanted("no"))));
    assert!(world.events.turn(&world).is_err());
    assert_eq!(world.lines()[3..], ["(step a begins)", "a", "(step ends)"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_timer_is_heard_when_it_is_set_and_when_it_expires() {
    let world = World::new();
    world.events.wake_at(Timestamp(5), note("t"));
    assert_eq!(world.lines(), ["(set t for 5)"]);
    world.turn();
    let expected = [
        "(poll for Some(0ns) begins)",
        "(poll ends with 0)",
        "(expire t)",
        "(wake t)",
        "(step t begins)",
        "t",
        "(step ends)",
    ];
    assert_eq!(world.lines(), expected);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_timer_is_heard_when_it_is_cancelled() {
    let world = World::new();
    let key = world.events.wake_at(Timestamp(5), note("t"));
    world.events.cancel_timer(key);
    world.events.cancel_timer(key);
    assert_eq!(world.lines(), ["(set t for 5)", "(cancel t)"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn an_event_is_heard_when_it_is_polled_and_around_its_dispatch() {
    let world = World::new();
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    world.events.watch(reader.as_fd(), source("event"), Readiness::READABLE).unwrap();
    world.turn();
    let begins = format!("(dispatch {} begins)", reader.as_raw_fd());
    let expected =
        ["(poll for None begins)", "(poll ends with 1)", &begins, "event", "(dispatch ends)"];
    assert_eq!(world.lines(), expected);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn what_comes_from_other_threads_is_heard_when_the_loop_takes_it_in() {
    let world = World::new();
    world.events.inbox().push(note("a"));
    assert!(world.lines().is_empty());
    world.turn();
    assert_eq!(world.lines()[1..4], ["(poll ends with 0)", "(1 arrive)", "(wake a)"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_poll_is_heard_with_the_time_it_may_sleep() {
    let world = World::new();
    world.events.poller().fail(io::ErrorKind::Interrupted);
    world.turn();
    world.events.wake_at(Timestamp(0).after(Duration::from_secs(1)), note("t"));
    world.turn();
    let polls: Vec<_> =
        world.lines().into_iter().filter(|line| line.ends_with("begins)")).collect();
    assert_eq!(polls[..2], ["(poll for None begins)", "(poll for Some(0ns) begins)"]);
}
