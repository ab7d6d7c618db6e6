//! One turn of the loop, and many: order, time, and stopping.

use std::os::fd::AsFd;
use std::time::Duration;

use groundup::clock::{Clock, Timestamp};
use groundup::poller::Readiness;

use crate::host::{Outcome, World, full_pipe, note, source, task};
use crate::limit::in_time;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn everything_goes_through_one_queue_in_the_order_of_the_turn() {
    let world = World::new();
    let (reader, _writer) = full_pipe();
    world.events.wake_at(Timestamp(0), note("timer"));
    world.events.watch(reader.as_fd(), source("event"), Readiness::READABLE).unwrap();
    world.wake(["task"]);
    world.events.inbox().push(note("arrival"));
    world.turn();
    assert_eq!(world.names(), ["task", "arrival", "event", "timer"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn what_came_first_goes_first_from_whatever_thread_it_came() {
    let world = World::new();
    world.events.inbox().push(note("arrival"));
    world.wake(["task"]);
    world.events.inbox().push(note("late arrival"));
    world.turn();
    assert_eq!(world.names(), ["arrival", "task", "late arrival"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn what_is_woken_during_a_turn_runs_in_the_next() {
    let world = World::new();
    world.events.wake(task("first", |world| {
        world.wake(["second"]);
        world.events.wake_at(Timestamp(-1), note("timer"));
        world.events.inbox().push(note("arrival"));
        Ok(())
    }));
    world.turn();
    assert_eq!(world.names(), ["first"]);
    world.turn();
    assert_eq!(world.names(), ["second", "arrival", "timer"]);
    assert_eq!(world.events.ready_len(), 0);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn tasks_that_never_rest_do_not_keep_events_and_timers_waiting() {
    fn restless(world: &World) -> Outcome {
        world.events.wake(task("restless", restless));
        Ok(())
    }
    let world = World::new();
    let (reader, _writer) = full_pipe();
    world.events.wake(task("restless", restless));
    world.events.watch(reader.as_fd(), source("event"), Readiness::READABLE).unwrap();
    world.events.wake_at(Timestamp(0), note("timer"));
    world.turn();
    world.turn();
    assert_eq!(world.names(), ["restless", "event", "timer", "restless", "event"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn timers_expire_by_deadline_and_equal_ones_in_their_order() {
    let world = World::new();
    for (deadline, name) in [(7, "d"), (5, "a"), (6, "c"), (5, "b"), (-3, "before")] {
        world.events.wake_at(Timestamp(deadline), note(name));
    }
    world.turn();
    assert_eq!(world.names(), ["before"]);
    world.turn();
    assert_eq!(world.names(), ["a", "b"]);
    assert_eq!(world.events.clock().now(), Timestamp(5));
    world.events.clock().advance(Duration::from_nanos(9));
    world.turn();
    assert_eq!(world.names(), ["c", "d"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_day_of_timers_passes_in_no_time_on_the_virtual_clock() {
    in_time(|| {
        let world = World::new();
        for hour in 0..24 {
            world.events.wake_at(Timestamp(0).after(HOUR * hour), note("strike"));
        }
        world.events.wake_at(
            Timestamp(0).after(HOUR * 24),
            task("midnight", |world| {
                world.events.stop();
                Ok(())
            }),
        );
        world.run();
        assert_eq!(world.names().len(), 25);
        assert_eq!(world.events.clock().now().since(Timestamp(0)), HOUR * 24);
        assert_eq!(world.sleeps.get(), 0);
    });
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn the_clock_does_not_jump_while_something_is_ready() {
    let world = World::new();
    world.events.wake_at(Timestamp(5), note("timer"));
    world.wake(["task"]);
    world.turn();
    assert_eq!(world.names(), ["task"]);
    assert_eq!(world.events.clock().now(), Timestamp(0));
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_cancelled_timer_gives_its_task_back_and_never_expires() {
    let world = World::new();
    let cancelled = world.events.wake_at(Timestamp(1), note("cancelled"));
    let expired = world.events.wake_at(Timestamp(2), note("expired"));
    assert_eq!(world.events.cancel_timer(cancelled).unwrap().name, "cancelled");
    assert!(world.events.cancel_timer(cancelled).is_none());
    world.turn();
    assert_eq!(world.names(), ["expired"]);
    assert!(world.events.cancel_timer(expired).is_none());
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_run_ends_with_the_turn_in_which_it_is_stopped() {
    let world = World::new();
    world.events.wake(task("stops", |world| {
        world.wake(["next turn"]);
        world.events.stop();
        Ok(())
    }));
    world.wake(["same turn"]);
    world.run();
    assert_eq!(world.names(), ["stops", "same turn"]);
    world.events.stop();
    world.run();
    assert_eq!(world.names(), ["next turn"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_loop_that_is_stopped_before_it_runs_makes_one_turn_and_does_not_sleep() {
    in_time(|| {
        let world = World::new();
        world.events.stop();
        world.run();
        assert_eq!((world.turns.get(), world.sleeps.get()), (1, 0));
    });
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_turn_with_a_timer_that_was_due_at_the_last_look_at_the_clock_looks_no_more() {
    let world = World::new();
    world.events.wake_at(world.events.time(), note("due then"));
    world.events.wake_at(Timestamp(1), note("due since"));
    world.events.clock().advance(Duration::from_nanos(1));
    world.turn();
    assert_eq!(world.names(), ["due then"]);
    world.turn();
    assert_eq!(world.names(), ["due since"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn what_a_host_finds_to_do_before_the_loop_sleeps_is_done_at_once() {
    in_time(|| {
        let world = World::new();
        world.last_thing.set(Some(|world| {
            world.wake(["found"]);
            Ok(())
        }));
        world.turn();
        assert_eq!(world.names(), ["found"]);
    });
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_host_that_stops_the_loop_before_it_sleeps_ends_the_run() {
    in_time(|| {
        let world = World::new();
        world.last_thing.set(Some(|world| {
            world.events.stop();
            Ok(())
        }));
        world.run();
    });
}
