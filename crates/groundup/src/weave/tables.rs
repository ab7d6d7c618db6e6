//! What a weave comes to: who ran longest, who waited longest, who never ended.

use std::time::Duration;

use super::parts::{LaneKind, Step, Wait, Weave};

/// What a lane's steps and waits come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneTotals {
    /// How many steps it took.
    pub steps: usize,
    /// How long those took together.
    pub running: Duration,
    /// The longest of them.
    pub longest: Duration,
    /// How long it was ready and others went first.
    pub ready: Duration,
    /// How long it waited.
    pub waiting: Duration,
}

/// The totals of all lanes, in their order.
#[must_use]
pub fn totals(weave: &Weave) -> Vec<LaneTotals> {
    let mut totals = vec![LaneTotals::default(); weave.lanes.len()];
    for step in &weave.steps {
        let (total, took) = (&mut totals[step.lane], step.took());
        total.steps += 1;
        total.running += took;
        total.longest = total.longest.max(took);
        total.ready += step.woken.map_or(Duration::ZERO, |woken| step.began.since(woken));
    }
    for wait in &weave.waits {
        totals[wait.lane].waiting += wait.took();
    }
    totals
}

/// The longest steps, longest first, at most `count` of them.
#[must_use]
pub fn longest_steps(weave: &Weave, count: usize) -> Vec<usize> {
    greatest(weave.steps.len(), count, |step| weave.steps[step].took())
}

/// The longest waits, longest first, at most `count` of them.
#[must_use]
pub fn slowest_waits(weave: &Weave, count: usize) -> Vec<usize> {
    greatest(weave.waits.len(), count, |wait| weave.waits[wait].took())
}

/// The tasks that had not ended when the recording did.
#[must_use]
pub fn never_finished(weave: &Weave) -> Vec<usize> {
    let lanes = weave.lanes.iter().enumerate();
    let open = lanes.filter(|(_, it)| it.kind == LaneKind::Task && it.outcome.is_none());
    open.map(|(lane, _)| lane).collect()
}

fn greatest(length: usize, count: usize, measure: impl Fn(usize) -> Duration) -> Vec<usize> {
    let mut all: Vec<usize> = (0..length).collect();
    all.sort_by_key(|&it| std::cmp::Reverse(measure(it)));
    all.truncate(count);
    all
}

impl Step {
    /// How long it took.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.ended.since(self.began)
    }
}

impl Wait {
    /// How long it took.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.ended.since(self.began)
    }
}
