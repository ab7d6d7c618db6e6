//! Other threads: they end the loop's sleep, and only its sleep costs them a system call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use groundup::clock::Timestamp;

use crate::host::{World, note, task};
use crate::limit::in_time;

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn another_thread_wakes_a_loop_that_sleeps() {
    in_time(|| {
        let world = World::new();
        let inbox = world.events.inbox().clone();
        let other = thread::spawn(move || {
            thread::sleep(Duration::from_millis(10));
            inbox.push(note("hello"));
            inbox.push(task("stop", |world| {
                world.events.stop();
                Ok(())
            }));
        });
        world.run();
        other.join().unwrap();
        assert_eq!(world.names(), ["hello", "stop"]);
        assert!(world.sleeps.get() >= 1);
    });
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_loop_that_sleeps_can_be_roused_without_a_task() {
    in_time(|| {
        let world = World::new();
        let inbox = world.events.inbox().clone();
        let awake = Arc::new(AtomicBool::new(false));
        let seen = awake.clone();
        let other = thread::spawn(move || {
            while !seen.load(Relaxed) {
                inbox.rouse();
                thread::yield_now();
            }
        });
        world.turn();
        awake.store(true, Relaxed);
        other.join().unwrap();
        assert!(world.names().is_empty());
        assert_eq!(world.sleeps.get(), 1);
    });
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn the_wire_is_used_only_when_the_loop_sleeps() {
    let world = World::new();
    let notifications = || world.events.poller().notifications.load(Relaxed);
    for _ in 0..100 {
        world.events.inbox().push(note("from outside"));
    }
    world.turn();
    // The loop lies down for this timer, and is awake again when it expires.
    world.events.wake_at(
        Timestamp(5),
        task("inside", |world| {
            let inbox = world.events.inbox().clone();
            thread::spawn(move || inbox.push(note("from a thread"))).join().unwrap();
            Ok(())
        }),
    );
    world.turn();
    world.turn();
    assert_eq!((world.names().len(), notifications()), (102, 0));
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn one_sleep_is_ended_once_however_much_comes_in() {
    in_time(|| {
        let world = World::new();
        let inbox = world.events.inbox().clone();
        let other = thread::spawn(move || {
            for _ in 0..1000 {
                inbox.push(note("entry"));
            }
        });
        let mut entries = 0;
        while entries < 1000 {
            world.turn();
            entries += world.names().len();
        }
        other.join().unwrap();
        let notifications = world.events.poller().notifications.load(Relaxed);
        assert!(notifications <= world.sleeps.get(), "{notifications} {}", world.sleeps.get());
    });
}
