//! The parts of a turn, one by one.

use std::os::fd::AsFd;
use std::time::Duration;

use groundup::clock::Timestamp;
use groundup::poller::Readiness;

use crate::host::{World, full_pipe, note, source};

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_turn_can_be_taken_part_by_part() {
    let world = World::new();
    let (reader, _writer) = full_pipe();
    world.events.watch(reader.as_fd(), source("event"), Readiness::READABLE).unwrap();
    world.events.wake_at(Timestamp(5), note("timer"));
    world.events.inbox().push(note("arrival"));
    world.events.poll_within(&world, Some(Duration::ZERO)).unwrap();
    assert_eq!(world.names(), [""; 0]);
    world.events.expire_at(Timestamp(5));
    assert_eq!((world.events.ready().len(), world.events.next_deadline()), (3, None));
    world.events.finish_turn(&world).unwrap();
    assert_eq!(world.names(), ["arrival", "event", "timer"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn what_is_taken_from_the_ready_queue_can_be_resumed() {
    let world = World::new();
    let (reader, _writer) = full_pipe();
    world.events.watch(reader.as_fd(), source("event"), Readiness::READABLE).unwrap();
    world.wake(["first", "second"]);
    world.events.poll_within(&world, None).unwrap();
    let event = world.events.ready().remove(2).unwrap();
    world.events.ready().push_first(event);
    while let Some(entry) = { world.events.ready().pop() } {
        world.events.resume_entry(&world, entry).unwrap();
    }
    assert_eq!(world.names(), ["event", "first", "second"]);
    assert_eq!(world.events.watches().len(), 1);
}
