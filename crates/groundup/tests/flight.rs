//! A loop with a flight recorder, and what the recording says of what it did.

use std::cell::RefCell;
use std::convert::Infallible;
use std::io;
use std::time::Duration;

use groundup::clock::{Clock, Timestamp, Virtual};
use groundup::event_loop::{EventLoop, Host};
use groundup::poller::{Epoll, Readiness};
use groundup::recorder::recording::{Head, Recording};
use groundup::recorder::{FlightRecorder, RECORD_SIZE, TaskId};
use groundup::weave::{Cause, Weave, build};

type Flight = FlightRecorder<Vec<u8>, Virtual>;
type Act = Box<dyn FnOnce(&World)>;

/// A task: its number, and what it does in its step.
struct Task(u64, Act);

/// Such tasks as the host of a loop.
struct Acts;

impl Host for Acts {
    type Task = Task;
    type Source = Infallible;
    type Error = io::Error;
    type Scope<'a> = &'a World;

    fn task_id(task: &Task) -> TaskId {
        TaskId(task.0)
    }

    fn resume(world: &World, task: Task) -> io::Result<()> {
        (task.1)(world);
        Ok(())
    }

    fn dispatch(_: &World, source: Infallible, _: Readiness) -> io::Result<()> {
        match source {}
    }
}

struct World {
    events: EventLoop<Acts, Epoll, Virtual, Flight>,
    order: RefCell<Vec<u64>>,
}

impl World {
    fn new(records: usize) -> Self {
        let memory = vec![0; records * RECORD_SIZE];
        let flight = FlightRecorder::new(memory, vec![0; 256], Virtual::default());
        let events = EventLoop::with_parts(Epoll::new().unwrap(), Virtual::default(), flight);
        Self { events, order: RefCell::default() }
    }

    /// A task that notes its number, takes some time and does something more.
    fn task(number: u64, time: u64, act: impl FnOnce(&Self) + 'static) -> Task {
        let step = move |world: &Self| {
            world.order.borrow_mut().push(number);
            world.pass(time);
            act(world);
        };
        Task(number, Box::new(step))
    }

    /// Time passes, for the loop and for its recorder.
    fn pass(&self, nanoseconds: u64) {
        for clock in [self.events.clock(), self.events.recorder().clock()] {
            clock.advance(Duration::from_nanos(nanoseconds));
        }
    }

    fn run(&self) {
        self.events.run(self).unwrap();
    }

    fn weave(&self) -> Weave {
        self.events.recorder().look(|ring, names| {
            let (length, process, wall) = (64, 1, 0);
            let (names, records) = (names.memory(), ring.memory());
            let sizes = (names.len() as u64, records.len() as u64);
            let monotonic = Timestamp(0);
            let head = Head { length, names: sizes.0, records: sizes.1, process, monotonic, wall };
            let file = [&head.to_bytes(), names, records].concat();
            build(&Recording::read(&file).unwrap())
        })
    }
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_recording_tells_who_took_steps_and_what_made_them_ready() {
    let world = World::new(64);
    let last = World::task(6, 1, |world| world.events.stop());
    let second = World::task(4, 30, |world| {
        let soon = world.events.clock().now();
        world.events.wake_at(soon, last);
    });
    world.events.wake(World::task(2, 10, |world| world.events.wake(second)));
    world.run();
    assert_eq!(*world.order.borrow(), [2, 4, 6]);
    let steps: Vec<_> =
        world.weave().steps.iter().map(|it| (it.began.0, it.ended.0, it.cause)).collect();
    let expected = [(0, 10, Cause::Unknown), (10, 40, Cause::Step(0)), (40, 41, Cause::Timer)];
    assert_eq!(steps, expected);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn what_other_threads_bring_is_told_apart() {
    let world = World::new(64);
    world.events.inbox().push(World::task(2, 5, |world| world.events.stop()));
    world.run();
    let weave = world.weave();
    assert_eq!(weave.steps[0].cause, Cause::Thread);
    assert!(!weave.polls.is_empty());
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_recorder_that_is_full_keeps_the_end_and_counts_what_it_lost() {
    let world = World::new(8);
    for number in 1..=20 {
        world.events.wake(World::task(2 * number, 1, |_| ()));
    }
    world.events.stop();
    world.run();
    let weave = world.weave();
    assert!(weave.lost > 40);
    assert_eq!(weave.steps.last().map(|it| it.ended.0), Some(20));
}
