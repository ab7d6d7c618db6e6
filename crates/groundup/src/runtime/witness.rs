//! Who tells a flight recorder what the tasks of a runtime do: where they come from, what they wait
//! for, how they end.
//!
//! It knows the tasks only by their keys, and changes nothing.

mod sockets;
mod verbs;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::mem;
use std::path::PathBuf;

use sockets::Sockets;

use super::awaited::{self, Awaited};
use super::host::Runtime;
use super::lives::{Life, Lives};
use super::origin::Origin;
use super::tasks::TaskKey;
use crate::clock::{Clock, Timestamp};
use crate::recorder::{FlightRecorder, Name, Verb, pair};
use crate::timers::TimerKey;

/// Tells a flight recorder what the tasks of a runtime do.
#[derive(Debug)]
pub(super) struct Witness {
    recorder: FlightRecorder<Vec<u8>>,
    lives: RefCell<Lives>,
    /// What the step that goes on has found not ready.
    awaited: RefCell<Vec<Awaited>>,
    /// The names of coroutines and files, by where a task comes from.
    origins: RefCell<HashMap<(usize, usize), (Name, Name)>>,
    sockets: RefCell<Sockets>,
    /// A text that is being put together.
    text: RefCell<String>,
    /// Whose step goes on, if it is a task's.
    current: Cell<TaskKey>,
    is_in_step: Cell<bool>,
    /// The tasks that have set timers, by the addresses of what their wakers point to.
    sleepers: RefCell<HashMap<usize, TaskKey>>,
    /// What the task said that has panicked, and has not finished yet.
    panic: RefCell<Option<String>>,
}

impl Witness {
    pub fn new(recorder: FlightRecorder<Vec<u8>>) -> Self {
        Self {
            recorder,
            lives: RefCell::default(),
            awaited: RefCell::default(),
            origins: RefCell::default(),
            sockets: RefCell::default(),
            text: RefCell::default(),
            current: Cell::new(TaskKey::ROOT),
            is_in_step: Cell::default(),
            sleepers: RefCell::default(),
            panic: RefCell::default(),
        }
    }

    pub fn recorder(&self) -> &FlightRecorder<Vec<u8>> {
        &self.recorder
    }

    pub fn now(&self) -> Timestamp {
        self.recorder.clock().now()
    }

    fn note(&self, verb: Verb, key: TaskKey, detail: u64) {
        self.recorder.note(verb, key.id().0, detail);
    }

    /// A run begins, with a root that comes from there; nothing is left of the run before.
    pub fn begin_run(&self, root: Origin) {
        self.lives.take();
        self.sleepers.take();
        self.sockets.take();
        self.spawn(TaskKey::ROOT, root);
    }

    pub fn spawn(&self, key: TaskKey, origin: Origin) {
        self.note(Verb::Spawn, key, key.number());
        self.describe(key, origin);
    }

    fn describe(&self, key: TaskKey, origin: Origin) {
        let name = |text: &str| self.recorder.name(text);
        let given = self.lives.borrow().name(key).map_or(0, name);
        let names = || (name(origin.coroutine()), name(origin.place().file()));
        let mut origins = self.origins.borrow_mut();
        let (coroutine, file) = *origins.entry(origin.key()).or_insert_with(names);
        self.recorder.describe(key.id(), given, coroutine, (file, origin.place().line()));
    }

    pub fn rename(&self, key: TaskKey, origin: Origin, name: String) {
        self.lives.borrow_mut().of(key).name = Some(name);
        self.describe(key, origin);
    }

    pub fn begin_step(&self, key: TaskKey) {
        self.awaited.borrow_mut().clear();
        self.current.set(key);
        self.is_in_step.set(true);
        self.note(Verb::StepBegin, key, 0);
    }

    /// The step that goes on cannot go further without this.
    pub fn awaits(&self, it: Awaited) {
        let mut awaited = self.awaited.borrow_mut();
        if !awaited.contains(&it) {
            awaited.push(it);
        }
    }

    /// The step that goes on cannot go further without this timer, which has a waker that points there.
    pub fn awaits_timer(&self, timer: TimerKey, address: usize) {
        self.awaits(Awaited::Timer(timer));
        self.sleepers.borrow_mut().insert(address, self.current.get());
    }

    /// What asked for this is gone.
    pub fn no_longer_awaits(&self, it: Awaited) {
        self.awaited.borrow_mut().retain(|other| *other != it);
    }

    /// The task whose step goes on waits for what this has found not ready.
    pub fn wait(&self, key: TaskKey) {
        let (mut lives, mut awaited) = (self.lives.borrow_mut(), self.awaited.borrow_mut());
        let life = lives.of(key);
        if life.awaited.as_ref() != Some(&awaited) {
            mem::swap(life.awaited.get_or_insert_default(), &mut awaited);
            life.wait = None;
        }
        self.note_wait(key, &mut lives);
    }

    fn note_wait(&self, key: TaskKey, lives: &mut Lives) {
        if let Some(name) = lives.get(key).and_then(|life| self.name_of_wait(life, lives)) {
            lives.of(key).wait = Some(name);
            self.note(Verb::Wait, key, pair(name, 0));
        }
    }

    fn name_of_wait(&self, life: &Life, lives: &Lives) -> Option<Name> {
        life.wait.or_else(|| {
            let mut text = self.text.borrow_mut();
            text.clear();
            awaited::write(life.awaited.as_ref()?, lives, &mut text).ok()?;
            Some(self.recorder.name(&text))
        })
    }

    /// The task that takes a step has panicked.
    pub fn panic(&self, payload: &(dyn Any + Send)) {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        self.panic.replace(Some(text.unwrap_or_default().to_owned()));
    }

    /// The task that takes a step is done: it has returned, or panicked.
    pub fn finish(&self, key: TaskKey) {
        match self.panic.take() {
            None => self.note_end(key, "returned", ""),
            Some(message) => self.note_end(key, "raised", &format!("panic: {message}")),
        }
    }

    pub fn cancel(&self, key: TaskKey) {
        self.no_longer_awaits(Awaited::Task(key));
        self.note(Verb::Cancel, key, 0);
    }

    pub fn finish_cancelled(&self, key: TaskKey) {
        self.note_end(key, "cancelled", "");
    }

    fn note_end(&self, key: TaskKey, how: &str, why: &str) {
        let [how, why] = [how, why].map(|text| self.recorder.name(text));
        self.note(Verb::Finish, key, pair(how, why));
    }

    /// The step that has just begun is a timer's, and ends the sleep of a task with such a waker.
    pub fn expire(&self, address: usize, runtime: &Runtime) {
        self.recorder.note(Verb::Callback, 0, pair(self.recorder.name("timer"), 0));
        let sleeper = self.sleepers.borrow().get(&address).copied();
        if let Some(key) = sleeper.filter(|key| runtime.waits(*key)) {
            self.note(Verb::TimerExpire, key, 0);
        }
    }

    pub fn mark(&self, text: &str) {
        self.recorder.note(Verb::Mark, 0, pair(self.recorder.name(text), 0));
    }

    /// Says what is true of the whole recording.
    pub fn tell_facts(&self) {
        let program = std::env::args_os().next().map(PathBuf::from);
        let program = program.as_ref().and_then(|path| path.file_name()).unwrap_or_default();
        for (fact, value) in
            [("program", &*program.to_string_lossy()), ("groundup", env!("CARGO_PKG_VERSION"))]
        {
            let [fact, value] = [fact, value].map(|text| self.recorder.name(text));
            self.recorder.note(Verb::Fact, 0, pair(fact, value));
        }
    }

    /// The recording begins while a step goes on.
    pub fn begin_within(&self, runtime: &Runtime) {
        self.describe_all(runtime);
        self.begin_step(runtime.tasks.lent().unwrap_or(TaskKey::ROOT));
    }

    pub fn end_turn(&self, runtime: &Runtime) {
        if self.recorder.is_keyframe_due() {
            self.origins.borrow_mut().clear();
            self.lives.borrow_mut().forget_waits();
            self.recorder.keyframe(|_| {
                self.tell_facts();
                self.describe_all(runtime);
            });
        }
    }

    /// Says what there is to say of what is open and of the tasks that live.
    fn describe_all(&self, runtime: &Runtime) {
        self.say_what_is_open();
        runtime.for_each_task(|key, origin, waits| {
            self.note(Verb::Live, key, key.number());
            self.describe(key, origin);
            if waits {
                self.note_wait(key, &mut self.lives.borrow_mut());
            }
        });
    }
}
