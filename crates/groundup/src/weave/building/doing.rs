//! What is being done: steps, polls and collections begin and end, one within the other.

use super::{Doing, Loom, Woken};
use crate::clock::Timestamp;
use crate::recorder::TaskId;
use crate::weave::parts::{Cause, Collection, LaneKind, Poll, Step};

/// The lane of a call of which it has not been said yet what is called.
pub(super) const UNKNOWN: usize = usize::MAX;

impl Loom<'_> {
    /// The step that goes on now.
    pub(super) fn step(&self) -> Option<usize> {
        self.doing.iter().rev().find_map(|doing| match doing {
            Doing::Step(step) => Some(*step),
            _ => None,
        })
    }

    pub(super) fn cause(&mut self, subject: u64) -> Cause {
        if self.expired.take_if(|expired| *expired == subject).is_some() {
            return Cause::Timer;
        }
        if self.arriving > 0 {
            self.arriving -= 1;
            return Cause::Thread;
        }
        if let Some(number) = self.signal.take() {
            return Cause::Signal(number);
        }
        match self.doing.last() {
            Some(Doing::Poll(_)) => Cause::Poll,
            _ => self.step().map_or(Cause::Unknown, Cause::Step),
        }
    }

    pub(super) fn begin_step(&mut self, began: Timestamp, subject: u64) {
        let lane = match TaskId(subject).is_callback() {
            true => UNKNOWN,
            false => self.lane_of(began, subject),
        };
        let woken = self.woken.remove(&subject).or_else(|| self.begun_within(began));
        self.end_wait(lane, woken.map_or(began, |it| it.time));
        self.push_step(lane, began, woken);
    }

    /// What begins within a step, as the first step of a task may, was put on no queue: it is that step's.
    fn begun_within(&self, time: Timestamp) -> Option<Woken> {
        self.step().map(|step| Woken { time, cause: Cause::Step(step) })
    }

    /// What was called has not been said: it is nothing that anything is known of.
    pub(super) fn settle_lane(&mut self, step: usize) {
        let Step { lane, began, .. } = self.weave.steps[step];
        if lane == UNKNOWN {
            self.weave.steps[step].lane = self.function(began, 0);
        }
    }

    /// What was waited for came, if the lane waits.
    pub(super) fn end_wait(&mut self, lane: usize, ended: Timestamp) {
        if let Some(wait) = self.waiting.remove(&lane) {
            let wait = &mut self.weave.waits[wait];
            (wait.ended, wait.is_over) = (ended.max(wait.began), true);
        }
    }

    pub(super) fn begin_dispatch(&mut self, began: Timestamp, descriptor: u64) {
        let lane = match self.descriptors.get(&descriptor) {
            Some(&lane) => lane,
            None => {
                let lane = self.add_lane(LaneKind::Descriptor, began, None);
                self.weave.lanes[lane].place.1 = descriptor as u32;
                self.descriptors.insert(descriptor, lane);
                lane
            }
        };
        let woken = self.weave.polls.last().map(|it| Woken { time: it.ended, cause: Cause::Poll });
        self.push_step(lane, began, woken);
    }

    pub(super) fn push_step(&mut self, lane: usize, began: Timestamp, woken: Option<Woken>) {
        let cause = woken.map_or(Cause::Unknown, |woken| woken.cause);
        let woken = woken.map(|woken| woken.time);
        self.doing.push(Doing::Step(self.weave.steps.len()));
        self.weave.steps.push(Step { lane, began, ended: began, woken, cause });
    }

    pub(super) fn end_step(&mut self, time: Timestamp) {
        let place = self.doing.iter().rposition(|doing| matches!(doing, Doing::Step(_)));
        if let Some(Doing::Step(step)) = place.map(|place| self.doing.remove(place)) {
            self.weave.steps[step].ended = time;
            self.settle_lane(step);
        }
    }

    pub(super) fn begin_poll(&mut self, began: Timestamp, ready: u64) {
        self.doing.push(Doing::Poll(self.weave.polls.len()));
        self.weave.polls.push(Poll { began, ended: began, events: 0, ready });
    }

    pub(super) fn end_poll(&mut self, ended: Timestamp, events: u64) {
        if let Some(Doing::Poll(poll)) = self.doing.pop_if(|it| matches!(it, Doing::Poll(_))) {
            let poll = &mut self.weave.polls[poll];
            (poll.ended, poll.events) = (ended, events);
        }
    }

    pub(super) fn begin_collection(&mut self, began: Timestamp, generation: u64) {
        self.doing.push(Doing::Collection(self.weave.collections.len()));
        self.weave.collections.push(Collection { began, ended: began, generation, taken: 0 });
    }

    pub(super) fn end_collection(&mut self, ended: Timestamp, taken: u64) {
        if let Some(Doing::Collection(it)) =
            self.doing.pop_if(|it| matches!(it, Doing::Collection(_)))
        {
            let collection = &mut self.weave.collections[it];
            (collection.ended, collection.taken) = (ended, taken);
        }
    }
}
