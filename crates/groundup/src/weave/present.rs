//! The present: what a loop and its tasks are doing now, kept up with record by record.
//!
//! It says what [`build`](super::build) would say of the last moment, and forgets what has passed but
//! for what it adds up between two looks. Names are those of the last keyframe, so that they can be
//! read for as long as the task lives.

mod doing;
mod lately;
mod numbers;
mod tasks;

pub use lately::{Lately, Ran, Who};
pub use numbers::{ByNumber, NumberHasher};
pub use tasks::{PresentTask, State};

use crate::clock::Timestamp;
use crate::recorder::{Name, Record, Verb, halves};

/// What a loop is doing.
#[derive(Debug, Default)]
pub struct Present {
    tasks: ByNumber<u64, PresentTask>,
    chains: ByNumber<u32, Link>,
    /// What is being done, innermost last.
    doing: Vec<Doing>,
    /// When what is on the ready queue was due, with the numbers of the records that say so.
    due: ByNumber<u64, (Timestamp, u64)>,
    /// The deadlines of timers, by what they wake.
    deadlines: ByNumber<u64, Timestamp>,
    expired: Option<(u64, Timestamp)>,
    /// The task that ended last; its last step may go on.
    finished: Option<(u64, Who)>,
    /// Up to when it is known what was done, once anything is.
    known: Option<Timestamp>,
    /// How many tasks were ever heard of.
    heard: u64,
    lately: Lately,
}

/// A link of a chain of awaits.
#[derive(Clone, Copy, Debug)]
struct Link {
    name: Name,
    rest: u32,
    told: u64,
}

/// Something that goes on.
#[derive(Clone, Copy, Debug)]
pub struct Doing {
    /// What it is.
    pub what: Activity,
    /// Since when.
    pub since: Timestamp,
}

/// What a loop does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It takes a step of this.
    Step(Owner),
    /// It asks for events, and sleeps until there are some.
    Poll,
    /// It collects garbage.
    Collection,
}

/// Whose a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The task of this number.
    Task(u64),
    /// A function's, with its name and that of its place as a pair.
    Function(u64),
    /// A descriptor's.
    Descriptor(u64),
}

impl Present {
    /// Hears of what happened next.
    pub fn add(&mut self, record: &Record) {
        let Record { number, time, verb, subject, detail } = *record;
        match verb {
            Verb::Spawn => self.spawn(record),
            Verb::Live | Verb::Called | Verb::Place | Verb::Wait => self.describe(record),
            Verb::Wake => self.wake(number, time, subject),
            Verb::StepBegin => self.begin_step(time, subject),
            Verb::StepEnd | Verb::DispatchEnd => self.end_step(time),
            Verb::Resume => self.resume(time, subject),
            Verb::Finish => self.finish(subject),
            Verb::DispatchBegin => self.begin(time, Activity::Step(Owner::Descriptor(subject))),
            Verb::PollBegin => {
                self.lately.ready = subject;
                self.begin(time, Activity::Poll);
            }
            Verb::PollEnd => self.end(time, |it| it == Activity::Poll),
            Verb::TimerSet => drop(self.deadlines.insert(subject, Timestamp(detail.cast_signed()))),
            Verb::TimerCancel => drop(self.deadlines.remove(&subject)),
            Verb::TimerExpire => {
                self.expired = self.deadlines.remove(&subject).map(|it| (subject, it));
            }
            Verb::Read => self.lately.came += u64::from(halves(detail).0),
            Verb::Write => self.lately.went += u64::from(halves(detail).0),
            Verb::CollectBegin => self.begin(time, Activity::Collection),
            Verb::CollectEnd => self.end(time, |it| it == Activity::Collection),
            Verb::Callback => self.own(Owner::Function(detail)),
            Verb::Link => {
                let (name, rest) = halves(detail);
                self.chains.insert(subject as u32, Link { name, rest, told: number });
            }
            Verb::Cancel | Verb::Arrive | Verb::Open | Verb::Close | Verb::Signal => {}
            Verb::Usage | Verb::Job | Verb::Mark | Verb::Fact | Verb::Stack => {}
        }
    }

    /// Something is put on the ready queue; it was due when its timer was, or is now.
    fn wake(&mut self, number: u64, time: Timestamp, subject: u64) {
        let expired = self.expired.take().filter(|(whose, _)| *whose == subject);
        let due = expired.map_or(time, |(_, deadline)| deadline.min(time));
        self.due.insert(subject, (due, number));
        if let Some(task) = self.tasks.get_mut(&subject) {
            task.wake(time, number);
        }
    }

    fn who(&self, owner: Owner) -> Who {
        match owner {
            Owner::Task(task) => match (self.tasks.get(&task), self.finished) {
                (Some(task), _) => Who::of_task(task),
                (None, Some((finished, who))) if finished == task => who,
                _ => Who::Unknown,
            },
            Owner::Function(names) => Who::Function(names),
            Owner::Descriptor(descriptor) => Who::Descriptor(descriptor),
        }
    }

    /// The tasks that live, in no order.
    pub fn tasks(&self) -> impl Iterator<Item = &PresentTask> {
        self.tasks.values()
    }

    /// The task of this number.
    #[must_use]
    pub fn task(&self, number: u64) -> Option<&PresentTask> {
        self.tasks.get(&number)
    }

    /// What goes on, innermost; `None` between two steps.
    #[must_use]
    pub fn doing(&self) -> Option<Doing> {
        self.doing.last().copied()
    }

    /// Whose step goes on, and since when, if one does.
    #[must_use]
    pub fn step(&self) -> Option<(Who, Timestamp)> {
        self.doing.iter().rev().find_map(|doing| match doing.what {
            Activity::Step(owner) => Some((self.who(owner), doing.since)),
            _ => None,
        })
    }

    /// The names of those who await each other, outermost first.
    #[must_use]
    pub fn chain(&self, mut chain: u32) -> Vec<Name> {
        let mut names = Vec::new();
        // A damaged file may have links that lead in a circle.
        while let Some(link) = self.chains.get(&chain).filter(|_| names.len() < 64) {
            names.push(link.name);
            chain = link.rest;
        }
        names
    }

    /// Up to when it is known what was done; `None` before the first record.
    #[must_use]
    pub fn known(&self) -> Option<Timestamp> {
        self.known
    }

    /// What has come together since [`begin_lately`](Self::begin_lately).
    #[must_use]
    pub fn lately(&self) -> &Lately {
        &self.lately
    }

    /// Adds up anew what comes together from this time on.
    pub fn begin_lately(&mut self, began: Timestamp) {
        self.pass(began);
        self.lately = Lately { began, ready: self.lately.ready, ..Lately::default() };
        self.tasks.values_mut().for_each(|task| task.ran = Ran::default());
    }

    /// Forgets what is only spoken of by records before this one.
    ///
    /// A ring speaks at any time of all tasks that live, so others have ended unheard.
    pub fn forget_before(&mut self, oldest: u64) {
        self.tasks.retain(|_, task| task.told >= oldest);
        self.chains.retain(|_, link| link.told >= oldest);
        self.due.retain(|_, (_, told)| *told >= oldest);
    }
}
