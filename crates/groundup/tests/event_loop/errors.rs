//! What goes wrong ends the run and loses nothing.

use std::io;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};

use groundup::clock::Timestamp;
use groundup::poller::Readiness;

use crate::host::{Failure, Outcome, World, full_pipe, note, reacting, source, task};

fn failed(outcome: Outcome) -> &'static str {
    match outcome {
        Err(Failure::Wanted(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn an_error_of_a_task_ends_the_run_and_the_rest_stays_ready() {
    let world = World::new();
    world.wake(["a"]);
    world.events.wake(task("b", |_| Err(Failure::Wanted("b went wrong"))));
    world.wake(["c"]);
    assert_eq!(failed(world.events.run(&world)), "b went wrong");
    assert_eq!(world.names(), ["a", "b"]);
    assert_eq!((world.events.ready_len(), world.turns.get()), (1, 1));
    world.events.stop();
    world.run();
    assert_eq!(world.names(), ["c"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn an_error_of_a_source_ends_the_run_and_the_rest_stays_ready() {
    let world = World::new();
    let (reader, _writer) = full_pipe();
    let failing = reacting("event", |_, _| Err(Failure::Wanted("no")));
    world.events.watch(reader.as_fd(), failing, Readiness::READABLE).unwrap();
    world.events.wake_at(Timestamp(0), note("timer"));
    assert_eq!(failed(world.events.run(&world)), "no");
    assert_eq!(world.names(), ["event"]);
    world.events.unwatch(reader.as_fd());
    world.turn();
    assert_eq!(world.names(), ["timer"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn an_error_after_the_poll_loses_no_event() {
    let world = World::new();
    let (reader, _writer) = full_pipe();
    world.events.watch(reader.as_fd(), source("event"), Readiness::READABLE).unwrap();
    world.events.inbox().push(note("arrival"));
    world.polled_fails.set(Some("a signal's handler failed"));
    assert_eq!(failed(world.events.run(&world)), "a signal's handler failed");
    assert!(world.names().is_empty());
    assert_eq!(world.turns.get(), 1);
    world.events.stop();
    world.run();
    assert_eq!(world.names()[..2], ["arrival", "event"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn an_error_of_the_poller_ends_the_run_but_an_interruption_does_not() {
    let world = World::new();
    world.wake(["a"]);
    world.events.poller().fail(io::ErrorKind::OutOfMemory);
    match world.events.run(&world) {
        Err(Failure::Io(error)) => assert_eq!(error.kind(), io::ErrorKind::OutOfMemory),
        other => panic!("{other:?}"),
    }
    assert!(world.names().is_empty());
    assert_eq!(world.polls.get(), 0);
    world.events.poller().fail(io::ErrorKind::Interrupted);
    world.turn();
    assert_eq!(world.names(), ["a"]);
    assert_eq!(world.polls.get(), 1);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_panic_in_a_task_leaves_the_rest_ready() {
    let world = World::new();
    world.events.wake(task("panics", |_| panic!("on purpose")));
    world.wake(["rest"]);
    assert!(catch_unwind(AssertUnwindSafe(|| world.events.run(&world))).is_err());
    world.turn();
    assert_eq!(world.names(), ["panics", "rest"]);
}
