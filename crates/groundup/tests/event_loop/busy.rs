//! A loop that always has work: it polls more rarely, and lets nothing wait for long all the same.

use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use groundup::clock::Timestamp;
use groundup::poller::Readiness;

use crate::host::{Task, World, note, source, task};

/// The most turns that a busy loop may leave the poll out.
const LONGEST: usize = 31;

/// A task that always comes back.
fn spin() -> Task {
    task("spin", |world| {
        world.events.wake(spin());
        Ok(())
    })
}

/// A loop that has been busy for so long that it polls rarely.
fn busy() -> World {
    let world = World::new();
    world.events.wake(spin());
    (0..1000).for_each(|_| world.turn());
    world.lines();
    world
}

/// Turns until the name is in the diary, and says how many turns it took.
fn turns_until(world: &World, name: &str) -> usize {
    let turns = (1..1000).find(|_| {
        world.turn();
        world.names().iter().any(|line| line == name)
    });
    turns.expect("it is never resumed")
}

#[test]
fn a_busy_loop_polls_rarely() {
    let world = busy();
    let before = world.polls.get();
    (0..1000).for_each(|_| world.turn());
    let polls = world.polls.get() - before;
    assert!((1000 / (LONGEST + 1)..100).contains(&polls), "{polls} polls");
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn an_event_waits_for_a_busy_loop_no_longer_than_some_turns() {
    let (one, mut other) = UnixStream::pair().unwrap();
    let world = World::new();
    world.events.watch(one.as_fd(), source("event"), Readiness::READABLE).unwrap();
    world.events.wake(spin());
    (0..1000).for_each(|_| world.turn());
    world.lines();
    other.write_all(b"x").unwrap();
    assert!(turns_until(&world, "event") <= LONGEST + 1);
    assert_eq!(turns_until(&world, "event"), 1, "events come in each turn, once one has come");
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn what_is_watched_anew_is_polled_for_in_the_next_turn() {
    let world = busy();
    let (one, mut other) = UnixStream::pair().unwrap();
    other.write_all(b"x").unwrap();
    world.events.watch(one.as_fd(), source("event"), Readiness::READABLE).unwrap();
    assert_eq!(turns_until(&world, "event"), 1);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn who_expects_an_event_has_the_next_turn_poll() {
    let (one, mut other) = UnixStream::pair().unwrap();
    let world = World::new();
    world.events.watch(one.as_fd(), source("event"), Readiness::READABLE).unwrap();
    world.events.wake(spin());
    (0..1000).for_each(|_| world.turn());
    world.lines();
    other.write_all(b"x").unwrap();
    world.events.expect_event();
    assert_eq!(turns_until(&world, "event"), 1);
}

#[test]
fn a_timer_that_is_due_waits_for_no_poll() {
    let world = busy();
    world.events.wake_at(Timestamp(5), note("timer"));
    world.turn();
    assert!(!world.names().contains(&"timer".to_owned()));
    world.events.clock().advance(Duration::from_nanos(5));
    assert_eq!(turns_until(&world, "timer"), 1);
}

#[test]
fn what_another_thread_brings_waits_for_no_poll() {
    let world = busy();
    world.events.inbox().push(note("arrival"));
    assert_eq!(turns_until(&world, "arrival"), 1);
}

#[test]
fn the_last_turn_of_a_run_polls() {
    let world = busy();
    for _ in 0..3 {
        let before = world.polls.get();
        world.events.stop();
        world.run();
        assert_eq!(world.polls.get() - before, 1);
    }
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_turn_that_polls_keeps_the_order_of_ready_events_and_timers() {
    let (one, mut other) = UnixStream::pair().unwrap();
    let world = busy();
    other.write_all(b"x").unwrap();
    world.events.watch(one.as_fd(), source("event"), Readiness::READABLE).unwrap();
    world.events.wake_at(Timestamp(0), note("timer"));
    world.turn();
    assert_eq!(world.names(), ["spin", "event", "timer"]);
}
