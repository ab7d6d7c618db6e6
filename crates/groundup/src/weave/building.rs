//! Putting a weave together, record by record.

mod around;
mod doing;

use std::collections::HashMap;

use super::parts::{Cause, Lane, LaneKind, Mark, Outcome, Wait, Weave};
use crate::clock::Timestamp;
use crate::recorder::recording::Recording;
use crate::recorder::{Record, Verb, halves};

/// Puts together what a recording tells.
#[must_use]
pub fn build(recording: &Recording) -> Weave {
    let mut loom = Loom::of(recording);
    loom.weave.lost = recording.lost();
    loom.weave.began = recording.records.first().map_or(recording.head.monotonic, |it| it.time);
    recording.records.iter().for_each(|record| loom.add(record));
    loom.finish()
}

/// What is being done when a record is made.
#[derive(Clone, Copy, Debug)]
enum Doing {
    Step(usize),
    Poll(usize),
    Collection(usize),
}

/// What made something ready, and when.
#[derive(Clone, Copy, Debug, Default)]
struct Woken {
    time: Timestamp,
    cause: Cause,
}

struct Loom<'a> {
    recording: &'a Recording,
    weave: Weave,
    /// What is being done, innermost last.
    doing: Vec<Doing>,
    /// The lanes of the tasks that live.
    lanes: HashMap<u64, usize>,
    /// The lanes of functions, by their names and places, and by the texts of these: in time, a text has
    /// several names.
    functions: HashMap<u64, usize>,
    functions_by_text: HashMap<(&'a str, &'a str), usize>,
    descriptors: HashMap<u64, usize>,
    sockets: HashMap<u64, usize>,
    /// What was put on the ready queue, and has not gone on yet.
    woken: HashMap<u64, Woken>,
    /// The waits that are not over, by lane.
    waiting: HashMap<usize, usize>,
    jobs: HashMap<u64, usize>,
    expired: Option<u64>,
    arriving: u64,
    signal: Option<u32>,
}

impl<'a> Loom<'a> {
    fn of(recording: &'a Recording) -> Self {
        Self {
            recording,
            weave: Weave::default(),
            doing: Vec::new(),
            lanes: HashMap::new(),
            functions: HashMap::new(),
            functions_by_text: HashMap::new(),
            descriptors: HashMap::new(),
            sockets: HashMap::new(),
            woken: HashMap::new(),
            waiting: HashMap::new(),
            jobs: HashMap::new(),
            expired: None,
            arriving: 0,
            signal: None,
        }
    }

    fn add(&mut self, record: &Record) {
        let Record { time, verb, subject, detail, .. } = *record;
        self.weave.ended = time;
        match verb {
            Verb::Spawn => self.spawn(time, subject, detail),
            Verb::Live => {
                let lane = self.lane_of(time, subject);
                self.weave.lanes[lane].number = detail;
            }
            Verb::Called => self.describe(
                time,
                subject,
                |lane, (name, coroutine)| {
                    (lane.name, lane.coroutine) = (name, coroutine);
                },
                detail,
            ),
            // What is said first is the line that has made it.
            Verb::Place => self.describe(
                time,
                subject,
                |lane, place| {
                    if lane.place == (0, 0) {
                        lane.place = place;
                    }
                },
                detail,
            ),
            Verb::Wake => self.wake(time, subject),
            Verb::StepBegin => self.begin_step(time, subject),
            Verb::StepEnd | Verb::DispatchEnd => self.end_step(time),
            Verb::Wait => self.wait(time, subject, detail),
            Verb::Finish => self.end_task(time, subject, detail),
            Verb::Cancel => self.cancel(time, subject),
            Verb::TimerSet | Verb::TimerCancel | Verb::Link | Verb::Fact => {}
            Verb::DispatchBegin => self.begin_dispatch(time, subject),
            Verb::PollBegin => self.begin_poll(time, subject),
            Verb::PollEnd => self.end_poll(time, detail),
            Verb::TimerExpire => self.expired = Some(subject),
            Verb::Arrive => self.arriving = detail,
            Verb::Read => self.transfer(time, subject, true, detail),
            Verb::Write => self.transfer(time, subject, false, detail),
            Verb::Open => self.open(time, subject, detail),
            Verb::Close => self.close(time, subject),
            Verb::CollectBegin => self.begin_collection(time, detail),
            Verb::CollectEnd => self.end_collection(time, detail),
            Verb::Callback => self.call_back(time, detail),
            Verb::Signal => self.signal = Some(subject as u32),
            Verb::Usage => self.use_up(time, subject, detail),
            Verb::Job => self.job(time, subject, halves(detail).0),
            Verb::Stack => self.add_stack(halves(detail).0),
            Verb::Resume => self.resume(time, subject),
            Verb::Mark => self.weave.marks.push(Mark { time, text: halves(detail).0 }),
        }
    }

    fn finish(mut self) -> Weave {
        let ended = self.weave.ended;
        while let Some(doing) = self.doing.pop() {
            match doing {
                Doing::Step(step) => {
                    self.weave.steps[step].ended = ended;
                    self.settle_lane(step);
                }
                Doing::Poll(poll) => self.weave.polls[poll].ended = ended,
                Doing::Collection(it) => self.weave.collections[it].ended = ended,
            }
        }
        for &wait in self.waiting.values() {
            self.weave.waits[wait].ended = ended;
        }
        self.weave
    }

    fn add_lane(&mut self, kind: LaneKind, began: Timestamp, parent: Option<usize>) -> usize {
        let lanes = &mut self.weave.lanes;
        let (name, number, coroutine, place, outcome) = (0, 0, 0, (0, 0), None);
        lanes.push(Lane { kind, name, number, coroutine, place, parent, began, outcome });
        lanes.len() - 1
    }

    /// A new task; one that had the same number before has ended, unheard.
    fn spawn(&mut self, time: Timestamp, task: u64, number: u64) {
        let parent = self.step().map(|step| self.weave.steps[step].lane);
        let lanes = &self.weave.lanes;
        let parent = parent.filter(|&it| lanes.get(it).is_some_and(|it| it.kind == LaneKind::Task));
        let lane = self.add_lane(LaneKind::Task, time, parent);
        self.weave.lanes[lane].number = number;
        self.lanes.insert(task, lane);
        self.woken.remove(&task);
    }

    fn lane_of(&mut self, time: Timestamp, task: u64) -> usize {
        match self.lanes.get(&task) {
            Some(&lane) => lane,
            // It is older than the recording.
            None => {
                let lane = self.add_lane(LaneKind::Task, time, None);
                self.lanes.insert(task, lane);
                lane
            }
        }
    }

    fn describe(
        &mut self,
        time: Timestamp,
        task: u64,
        set: impl FnOnce(&mut Lane, (u32, u32)),
        detail: u64,
    ) {
        let lane = self.lane_of(time, task);
        set(&mut self.weave.lanes[lane], halves(detail));
    }

    fn wake(&mut self, time: Timestamp, subject: u64) {
        let cause = self.cause(subject);
        self.woken.insert(subject, Woken { time, cause });
        if let Some(&lane) = self.lanes.get(&subject) {
            self.end_wait(lane, time);
        }
    }

    /// The step that has just begun is a call of this function.
    fn call_back(&mut self, time: Timestamp, detail: u64) {
        let Some(step) = self.step() else { return };
        self.weave.steps[step].lane = self.function(time, detail);
    }

    /// The step that has just begun, of whatever was called, is a task's.
    fn resume(&mut self, time: Timestamp, task: u64) {
        let Some(step) = self.step() else { return };
        let lane = self.lane_of(time, task);
        let step = &mut self.weave.steps[step];
        step.lane = lane;
        let woken = step.woken.unwrap_or(time);
        self.end_wait(lane, woken);
    }

    /// The lane of a function; all that nothing is known of share one.
    fn function(&mut self, time: Timestamp, detail: u64) -> usize {
        if let Some(&lane) = self.functions.get(&detail) {
            return lane;
        }
        let (name, place) = halves(detail);
        let texts = (self.recording.name(name), self.recording.name(place));
        let lane = match self.functions_by_text.get(&texts) {
            Some(&lane) => lane,
            None => {
                let lane = self.add_lane(LaneKind::Callback, time, None);
                (self.weave.lanes[lane].name, self.weave.lanes[lane].place.0) = (name, place);
                self.functions_by_text.insert(texts, lane);
                lane
            }
        };
        self.functions.insert(detail, lane);
        lane
    }

    fn wait(&mut self, began: Timestamp, task: u64, detail: u64) {
        let (lane, (what, chain)) = (self.lane_of(began, task), halves(detail));
        // This is said again now and then: of what waits since then, and of what has come while its step
        // has not begun.
        if self.waiting.contains_key(&lane) || self.woken.contains_key(&task) {
            return;
        }
        self.waiting.insert(lane, self.weave.waits.len());
        self.weave.waits.push(Wait { lane, began, ended: began, is_over: false, what, chain });
    }

    fn end_task(&mut self, time: Timestamp, task: u64, detail: u64) {
        let (lane, (how, exception)) = (self.lane_of(time, task), halves(detail));
        self.weave.lanes[lane].outcome = Some(Outcome { time, how, exception });
        self.lanes.remove(&task);
    }
}
