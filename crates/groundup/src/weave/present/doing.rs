//! What is being done: steps, polls and collections, one within the other, and whose time passes.

use std::time::Duration;

use super::{Activity, Doing, Owner, Present};
use crate::clock::Timestamp;
use crate::recorder::TaskId;

impl Present {
    pub(super) fn begin(&mut self, time: Timestamp, what: Activity) {
        self.pass(time);
        self.doing.push(Doing { what, since: time });
    }

    /// Ends the innermost thing of a kind; what began within it has ended too.
    pub(super) fn end(&mut self, time: Timestamp, is_it: impl Fn(Activity) -> bool) {
        self.pass(time);
        if let Some(place) = self.doing.iter().rposition(|doing| is_it(doing.what)) {
            self.doing.truncate(place);
        }
    }

    pub(super) fn begin_step(&mut self, time: Timestamp, subject: u64) {
        let is_task = !TaskId(subject).is_callback();
        let owner = if is_task { Owner::Task(subject) } else { Owner::Function(0) };
        self.begin(time, Activity::Step(owner));
        if let Some((due, _)) = self.due.remove(&subject) {
            self.lately.add_lag(time.since(due));
        }
        if is_task {
            self.run(time, subject);
        }
    }

    pub(super) fn end_step(&mut self, time: Timestamp) {
        self.pass(time);
        let is_step = |doing: &Doing| matches!(doing.what, Activity::Step(_));
        let Some(place) = self.doing.iter().rposition(is_step) else { return };
        let step = self.doing[place];
        self.doing.truncate(place);
        let Activity::Step(owner) = step.what else { return };
        let took = time.since(step.since);
        if took > self.lately.longest {
            self.lately.longest = took;
            self.lately.longest_of = self.who(owner);
        }
        self.count(owner, time);
    }

    /// The step that has just begun turns out to be this one's.
    pub(super) fn own(&mut self, owner: Owner) {
        if let Some(Doing { what: Activity::Step(whose), .. }) = self.doing.last_mut() {
            *whose = owner;
        }
    }

    pub(super) fn resume(&mut self, time: Timestamp, task: u64) {
        self.own(Owner::Task(task));
        self.run(time, task);
    }

    /// It is this time now: what goes on, goes on until then.
    pub fn pass(&mut self, time: Timestamp) {
        let span = self.known.map_or(Duration::ZERO, |known| time.since(known));
        self.known = self.known.max(Some(time));
        let lately = &mut self.lately;
        match self.doing.last().map(|doing| doing.what) {
            Some(Activity::Step(owner)) => {
                lately.running += span;
                match owner {
                    Owner::Task(task) => {
                        if let Some(task) = self.tasks.get_mut(&task) {
                            task.ran.running += span;
                        }
                    }
                    Owner::Function(names) => {
                        lately.functions.entry(names).or_default().running += span;
                    }
                    Owner::Descriptor(_) => lately.descriptors.running += span,
                }
            }
            Some(Activity::Poll) => lately.sleeping += span,
            Some(Activity::Collection) => lately.collecting += span,
            None => {}
        }
    }

    /// A step has ended.
    fn count(&mut self, owner: Owner, time: Timestamp) {
        self.lately.steps += 1;
        match owner {
            Owner::Task(task) => {
                if let Some(task) = self.tasks.get_mut(&task) {
                    task.end_step(time);
                }
            }
            Owner::Function(names) => self.lately.functions.entry(names).or_default().steps += 1,
            Owner::Descriptor(_) => self.lately.descriptors.steps += 1,
        }
    }
}
