//! A small host for the event loop: its tasks are closures with a name, and whatever happens goes
//! into one diary, what the loop's recorder hears in brackets.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::io::{self, PipeReader, PipeWriter, Write, pipe};
use std::rc::Rc;
use std::time::Duration;

use groundup::clock::{Timestamp, Virtual};
use groundup::event_loop::{EventLoop, Host};
use groundup::poller::Readiness;
use groundup::recorder::{Recorder, TaskId};

use crate::probe::Probe;

/// What ends a run.
#[derive(Debug)]
pub enum Failure {
    /// The loop or its poller failed.
    Io(io::Error),
    /// A task or a source failed on purpose.
    Wanted(&'static str),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

pub type Outcome = Result<(), Failure>;

/// A name for the diary, and what is to be done.
pub struct Task {
    pub name: &'static str,
    act: Box<dyn FnOnce(&World) -> Outcome + Send>,
}

/// A task that does nothing but be there.
pub fn note(name: &'static str) -> Task {
    task(name, |_| Ok(()))
}

pub fn task(name: &'static str, act: impl FnOnce(&World) -> Outcome + Send + 'static) -> Task {
    Task { name, act: Box::new(act) }
}

type React = dyn Fn(&World, Readiness) -> Outcome;

/// A name for the diary, and what is to be done whenever the descriptor is ready.
#[derive(Clone)]
pub struct Source {
    pub name: &'static str,
    act: Rc<React>,
}

pub fn source(name: &'static str) -> Source {
    reacting(name, |_, _| Ok(()))
}

pub fn reacting(
    name: &'static str,
    act: impl Fn(&World, Readiness) -> Outcome + 'static,
) -> Source {
    Source { name, act: Rc::new(act) }
}

/// Closures as the host of an event loop.
pub struct Closures;

impl Host for Closures {
    type Task = Task;
    type Source = Source;
    type Error = Failure;
    type Scope<'a> = &'a World;

    /// The first letter of its name.
    fn task_id(task: &Task) -> TaskId {
        TaskId(u64::from(task.name.as_bytes()[0]))
    }

    fn prefetch(world: &World, task: &Task, links: usize) {
        world.fetched.borrow_mut().push((task.name, links, world.resumed.get()));
    }

    fn prefetch_source(world: &World, source: &Source, links: usize) {
        world.fetched.borrow_mut().push((source.name, links, world.resumed.get()));
    }

    fn resume(world: &World, task: Task) -> Outcome {
        world.resumed.set(world.resumed.get() + 1);
        world.write(task.name);
        (task.act)(world)
    }

    fn dispatch(world: &World, source: Source, readiness: Readiness) -> Outcome {
        world.write(source.name);
        (source.act)(world, readiness)
    }

    fn before_sleep(world: &World) -> Outcome {
        world.last_thing.take().map_or(Ok(()), |act| act(world))
    }

    fn sleep(world: &World, poll: impl FnOnce() -> io::Result<()> + Send) -> io::Result<()> {
        world.sleeps.set(world.sleeps.get() + 1);
        poll()
    }

    fn polled(world: &World) -> Outcome {
        world.polls.set(world.polls.get() + 1);
        world.polled_fails.take().map_or(Ok(()), |why| Err(Failure::Wanted(why)))
    }

    fn end_turn(world: &World) {
        world.turns.set(world.turns.get() + 1);
    }
}

/// A pipe with something in it.
pub fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    (reader, writer)
}

/// What the host does before the loop sleeps.
pub type LastThing = fn(&World) -> Outcome;

/// A loop of closures and what has been seen of it.
pub struct World {
    pub events: EventLoop<Closures, Probe, Virtual, Diary>,
    pub sleeps: Cell<usize>,
    pub polls: Cell<usize>,
    pub turns: Cell<usize>,
    pub resumed: Cell<usize>,
    /// For whom memory was fetched, how far away, and how many tasks had been resumed by then.
    pub fetched: RefCell<Vec<(&'static str, usize, usize)>>,
    pub polled_fails: Cell<Option<&'static str>>,
    pub last_thing: Cell<Option<LastThing>>,
    kept: RefCell<Vec<Box<dyn Any>>>,
}

impl World {
    /// A loop with nothing to do, on a clock that shows zero.
    pub fn new() -> Self {
        Self {
            events: EventLoop::with_parts(Probe::new(), Virtual::default(), Diary::default()),
            sleeps: Cell::default(),
            polls: Cell::default(),
            turns: Cell::default(),
            resumed: Cell::default(),
            fetched: RefCell::default(),
            polled_fails: Cell::default(),
            last_thing: Cell::default(),
            kept: RefCell::default(),
        }
    }

    /// Keeps a pipe open as long as the loop.
    pub fn keep(&self, pipe: impl Any) {
        self.kept.borrow_mut().push(Box::new(pipe));
    }

    pub fn turn(&self) {
        self.events.turn(self).unwrap();
    }

    pub fn run(&self) {
        self.events.run(self).unwrap();
    }

    pub fn wake(&self, names: impl IntoIterator<Item = &'static str>) {
        names.into_iter().for_each(|name| self.events.wake(note(name)));
    }

    pub fn write(&self, line: &str) {
        self.events.recorder().write(line.to_owned());
    }

    /// Takes the names out of the diary: what was resumed and dispatched, in order.
    pub fn names(&self) -> Vec<String> {
        let mut lines = self.lines();
        lines.retain(|line| !line.starts_with('('));
        lines
    }

    /// Takes everything out of the diary.
    pub fn lines(&self) -> Vec<String> {
        self.events.recorder().lines.take()
    }
}

fn letter(task: TaskId) -> char {
    char::from(task.0 as u8)
}

/// A recorder that writes everything down.
#[derive(Default)]
pub struct Diary {
    lines: RefCell<Vec<String>>,
}

impl Diary {
    fn write(&self, line: String) {
        self.lines.borrow_mut().push(line);
    }
}

impl Recorder for Diary {
    fn spawn(&self, task: TaskId) {
        self.write(format!("(spawn {})", letter(task)));
    }

    fn wake(&self, task: TaskId) {
        self.write(format!("(wake {})", letter(task)));
    }

    fn step_begin(&self, task: TaskId) {
        self.write(format!("(step {} begins)", letter(task)));
    }

    fn step_end(&self) {
        self.write("(step ends)".to_owned());
    }

    fn dispatch_begin(&self, descriptor: i32) {
        self.write(format!("(dispatch {descriptor} begins)"));
    }

    fn dispatch_end(&self) {
        self.write("(dispatch ends)".to_owned());
    }

    fn arrive(&self, count: usize) {
        self.write(format!("({count} arrive)"));
    }

    fn poll_begin(&self, _ready: usize, timeout: Option<Duration>) {
        self.write(format!("(poll for {timeout:?} begins)"));
    }

    fn poll_end(&self, events: usize) {
        self.write(format!("(poll ends with {events})"));
    }

    fn timer_set(&self, task: TaskId, deadline: Timestamp) {
        self.write(format!("(set {} for {})", letter(task), deadline.0));
    }

    fn timer_cancel(&self, task: TaskId) {
        self.write(format!("(cancel {})", letter(task)));
    }

    fn timer_expire(&self, task: TaskId) {
        self.write(format!("(expire {})", letter(task)));
    }
}
