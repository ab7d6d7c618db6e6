//! The tasks of the present, and what records change about them.

use super::{Activity, Owner, Present, Ran, Who};
use crate::clock::Timestamp;
use crate::recorder::{Name, Record, Verb, halves};

/// A task that lives.
#[derive(Clone, Debug)]
pub struct PresentTask {
    /// The number by which records refer to it.
    pub id: u64,
    /// How many were heard of before it.
    pub order: u64,
    /// What it is called.
    pub name: Name,
    /// Its number, which names it if nothing else does; 0 if it has none.
    pub number: u64,
    /// What it runs.
    pub coroutine: Name,
    /// The file and the line where it was made.
    pub place: (Name, u32),
    /// The task that made it, which may have ended.
    pub parent: Option<u64>,
    /// What it is doing.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
    /// Whether it began then; if not, it was heard of then for the first time.
    pub is_since_known: bool,
    /// Its steps since the last look.
    pub ran: Ran,
    /// The number of the last record that speaks of it.
    pub(super) told: u64,
}

/// What a task is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It has not been said.
    #[default]
    Unknown,
    /// Its step goes on.
    Running,
    /// It is on the ready queue.
    Ready,
    /// It waits.
    Waiting {
        /// For what.
        what: Name,
        /// Who awaits whom in it; see [`Present::chain`].
        chain: u32,
    },
}

impl PresentTask {
    fn change(&mut self, state: State, since: Timestamp) {
        (self.state, self.since, self.is_since_known) = (state, since, true);
    }

    pub(super) fn wake(&mut self, time: Timestamp, number: u64) {
        self.told = number;
        self.change(State::Ready, time);
    }

    /// A step of it has ended.
    pub(super) fn end_step(&mut self, time: Timestamp) {
        self.ran.steps += 1;
        if self.state == State::Running {
            self.change(State::Unknown, time);
        }
    }

    /// It waits: from now on, or it was said again what for.
    fn wait(&mut self, time: Timestamp, what: Name, chain: u32) {
        match self.state {
            // What it waited for has come, and its step has not begun.
            State::Ready => {}
            State::Running => self.change(State::Waiting { what, chain }, time),
            State::Waiting { .. } | State::Unknown => self.state = State::Waiting { what, chain },
        }
    }
}

impl Present {
    /// The task of this number; one that is heard of for the first time is older than the recording.
    fn present_task(&mut self, id: u64, time: Timestamp) -> &mut PresentTask {
        let heard = &mut self.heard;
        self.tasks.entry(id).or_insert_with(|| {
            *heard += 1;
            PresentTask {
                id,
                order: *heard,
                name: 0,
                number: 0,
                coroutine: 0,
                place: (0, 0),
                parent: None,
                state: State::Unknown,
                since: time,
                is_since_known: false,
                ran: Ran::default(),
                told: 0,
            }
        })
    }

    /// A new task; one that had the same number before has ended, unheard.
    pub(super) fn spawn(&mut self, record: &Record) {
        let parent = self.doing.iter().rev().find_map(|doing| match doing.what {
            Activity::Step(Owner::Task(task)) => Some(task),
            _ => None,
        });
        self.lately.spawned += 1;
        self.tasks.remove(&record.subject);
        let task = self.present_task(record.subject, record.time);
        (task.parent, task.number, task.told) = (parent, record.detail, record.number);
        task.is_since_known = true;
    }

    /// It is said what is true of a task.
    pub(super) fn describe(&mut self, record: &Record) {
        let (first, second) = halves(record.detail);
        let task = self.present_task(record.subject, record.time);
        task.told = record.number;
        match record.verb {
            Verb::Live => task.number = record.detail,
            Verb::Called => (task.name, task.coroutine) = (first, second),
            Verb::Place => task.place = (first, second),
            _ => task.wait(record.time, first, second),
        }
    }

    /// A step of a task begins.
    pub(super) fn run(&mut self, time: Timestamp, task: u64) {
        self.present_task(task, time).change(State::Running, time);
    }

    pub(super) fn finish(&mut self, task: u64) {
        self.lately.finished += 1;
        let ended = self.tasks.remove(&task);
        self.finished = ended.map(|ended| (task, Who::of_task(&ended)));
    }
}
