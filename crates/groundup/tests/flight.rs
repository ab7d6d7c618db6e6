//! A loop with a flight recorder, and what the recording says of what it did.

use std::cell::RefCell;
use std::convert::Infallible;
use std::io;
use std::time::Duration;

use groundup::clock::{Clock, Timestamp, Virtual};
use groundup::event_loop::{EventLoop, Host};
use groundup::poller::{Epoll, Readiness};
use groundup::recorder::recording::{Head, Recording};
use groundup::recorder::{FlightRecorder, RECORD_SIZE, Recorder, TaskId};
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

    fn end_turn(world: &World) {
        let flight = world.events.recorder();
        if flight.is_keyframe_due() {
            flight.keyframe(|_| world.living.borrow().iter().for_each(|it| world.describe(*it)));
        }
    }
}

struct World {
    events: EventLoop<Acts, Epoll, Virtual, Flight>,
    order: RefCell<Vec<u64>>,
    /// The tasks that go on from turn to turn.
    living: RefCell<Vec<u64>>,
}

impl World {
    fn new(records: usize) -> Self {
        let memory = vec![0; records * RECORD_SIZE];
        let flight = FlightRecorder::new(memory, vec![0; 3 * 256], Virtual::default());
        let events = EventLoop::with_parts(Epoll::new().unwrap(), Virtual::default(), flight);
        Self { events, order: RefCell::default(), living: RefCell::default() }
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

    /// A task that goes on for so many turns.
    fn lasting(number: u64, turns: u64) -> Task {
        Self::task(number, 1, move |world| match turns {
            0 => world.events.stop(),
            _ => world.events.wake(Self::lasting(number, turns - 1)),
        })
    }

    fn describe(&self, number: u64) {
        let flight = self.events.recorder();
        let name = flight.name(&format!("task {number}"));
        flight.describe(TaskId(number), name, name, (name, number as u32));
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
        build(&self.recording())
    }

    fn recording(&self) -> Recording {
        self.events.recorder().look(|ring, names| {
            let (length, process, wall) = (64, 1, 0);
            let (names, records) = (names.memory(), ring.memory());
            let sizes = (names.len() as u64, records.len() as u64);
            let monotonic = Timestamp(0);
            let head = Head { length, names: sizes.0, records: sizes.1, process, monotonic, wall };
            let file = [&head.to_bytes(), names, records].concat();
            Recording::read(&file).unwrap()
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

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn tasks_that_live_on_keep_their_names_and_lanes_when_the_ring_wraps() {
    let world = World::new(128);
    for number in [2, 4] {
        world.events.recorder().spawn(TaskId(number));
        world.describe(number);
        world.living.borrow_mut().push(number);
        world.events.wake(World::lasting(number, 100 + number));
    }
    world.run();
    let (recording, weave) = (world.recording(), world.weave());
    assert!(weave.lost > 128);
    let lanes = weave.lanes.iter().map(|lane| (recording.name(lane.name), lane.place.1));
    let mut lanes: Vec<_> = lanes.collect();
    lanes.sort_unstable();
    assert_eq!(lanes, [("task 2", 2), ("task 4", 4)]);
}
