//! What a loop holds: seen with `for_each`, dropped with `clear`.

use std::cell::Cell;
use std::io::{self, Write, pipe};
use std::os::fd::AsFd;
use std::rc::{Rc, Weak};

use groundup::clock::Timestamp;
use groundup::event_loop::{EventLoop, Held, Host};
use groundup::poller::Readiness;
use groundup::recorder::TaskId;

use crate::host::{Failure, World, note, source};

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn every_task_and_source_that_is_held_is_visited() {
    let world = World::new();
    let (reader, _writer) = pipe().unwrap();
    world.wake(["ready"]);
    world.events.wake_at(Timestamp(5), note("timer"));
    let cancelled = world.events.wake_at(Timestamp(5), note("cancelled"));
    world.events.cancel_timer(cancelled);
    world.events.watch(reader.as_fd(), source("source"), Readiness::NONE).unwrap();
    let mut visited = Vec::new();
    world.events.for_each(|held| match held {
        Held::Task(task) => visited.push(task.name),
        Held::Source(source) => visited.push(source.name),
    });
    assert_eq!(visited, ["ready", "timer", "source"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_loop_that_was_cleared_holds_nothing_and_can_be_used_again() {
    let world = World::new();
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    world.events.watch(reader.as_fd(), source("old"), Readiness::READABLE).unwrap();
    world.events.wake_at(Timestamp(0), note("timer"));
    world.events.inbox().push(note("arrival"));
    world.wake(["ready"]);
    world.events.clear();
    world.events.for_each(|_| panic!("something is left"));
    world.wake(["again"]);
    world.events.watch(reader.as_fd(), source("new"), Readiness::READABLE).unwrap();
    world.turn();
    assert_eq!(world.names(), ["again", "new"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_loop_that_was_closed_has_no_poller_and_does_not_run() {
    let world = World::new();
    let (reader, _writer) = pipe().unwrap();
    world.events.watch(reader.as_fd(), source("old"), Readiness::READABLE).unwrap();
    world.wake(["ready"]);
    world.events.close();
    world.events.close();
    world.events.for_each(|_| panic!("something is left"));
    let refused = |outcome: io::Result<()>| outcome.unwrap_err().raw_os_error();
    let watched = world.events.watch(reader.as_fd(), source("new"), Readiness::READABLE);
    assert_eq!(refused(watched), Some(libc::EBADF));
    match world.events.run(&world) {
        Err(Failure::Io(error)) => assert_eq!(error.raw_os_error(), Some(libc::EBADF)),
        other => panic!("{other:?}"),
    }
    world.events.inbox().push(note("too late"));
    world.events.inbox().rouse();
    assert!(world.names().is_empty());
}

/// A host whose tasks make others when they are dropped.
struct Hydra;

struct Head {
    /// How many more grow in its place.
    left: u64,
    body: Weak<EventLoop<Hydra>>,
    dropped: Rc<Cell<usize>>,
}

impl Host for Hydra {
    type Task = Head;
    type Source = Rc<Head>;
    type Error = io::Error;
    type Scope<'a> = ();

    fn task_id(head: &Head) -> TaskId {
        TaskId(head.left)
    }

    fn resume((): (), _: Head) -> io::Result<()> {
        unreachable!("it never runs")
    }

    fn dispatch((): (), _: Rc<Head>, _: Readiness) -> io::Result<()> {
        unreachable!("it never runs")
    }
}

impl Drop for Head {
    fn drop(&mut self) {
        self.dropped.set(self.dropped.get() + 1);
        let Some(body) = self.body.upgrade().filter(|_| self.left > 0) else { return };
        let head =
            Head { left: self.left - 1, body: self.body.clone(), dropped: self.dropped.clone() };
        match self.left % 2 {
            0 => body.wake(head),
            _ => drop(body.wake_at(Timestamp(0), head)),
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn clearing_drops_what_destructors_add_too() {
    let body = Rc::new(EventLoop::<Hydra>::new().unwrap());
    let dropped = Rc::new(Cell::new(0));
    let head = |left| Head { left, body: Rc::downgrade(&body), dropped: dropped.clone() };
    let (reader, _writer) = pipe().unwrap();
    body.wake(head(4));
    body.wake_at(Timestamp(0), head(3));
    body.watch(reader.as_fd(), Rc::new(head(2)), Readiness::NONE).unwrap();
    body.clear();
    assert_eq!(dropped.get(), 5 + 4 + 3);
    body.for_each(|_| panic!("something is left"));
}
