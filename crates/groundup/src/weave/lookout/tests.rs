//! What a lookout sees of a loop that is recorded, told by records.

use super::*;
use crate::clock::Clock;
use crate::recorder::follower::tests::Written;
use crate::recorder::{Name, Recorder, TaskId, Verb, pair};
use crate::weave::present::{PresentTask, State, Who};

const SPAN: Duration = Duration::from_nanos(1000);

/// A loop whose recorder is told by hand, and a lookout on it.
struct Watched {
    written: Written,
    lookout: Lookout,
}

impl Watched {
    fn new(places: usize) -> Self {
        let written = Written::new(places);
        let lookout = Lookout::new(written.file()).unwrap();
        Self { written, lookout }
    }

    fn note(&self, verb: Verb, subject: u64, detail: u64) -> &Self {
        self.written.recorder.note(verb, subject, detail);
        self
    }

    fn pass(&self, nanoseconds: u64) -> &Self {
        self.written.recorder.clock().advance(Duration::from_nanos(nanoseconds));
        self
    }

    fn name(&self, text: &str) -> Name {
        self.written.recorder.name(text)
    }

    fn spawn(&self, task: u64, name: &str) -> &Self {
        self.note(Verb::Spawn, task, 0).describe(task, name)
    }

    /// Says again, as a keyframe does, what a task is called.
    fn describe(&self, task: u64, name: &str) -> &Self {
        let name = self.name(name);
        self.note(Verb::Called, task, pair(name, name))
    }

    fn step(&self, task: u64, nanoseconds: u64) -> &Self {
        self.note(Verb::StepBegin, task, 0).pass(nanoseconds).note(Verb::StepEnd, 0, 0)
    }

    fn look(&mut self) -> &Present {
        self.written.flush();
        let now = self.written.recorder.clock().now();
        self.lookout.look(now, SPAN).unwrap()
    }

    fn task(&self, id: u64) -> &PresentTask {
        self.lookout.present().task(id).unwrap()
    }
}

#[test]
fn tasks_are_seen_in_their_states() {
    let mut watched = Watched::new(64);
    let [queue, outer, inner] =
        ["queue", "outer (a.py:1)", "inner (a.py:2)"].map(|it| watched.name(it));
    watched.spawn(2, "waits").spawn(4, "ready").spawn(6, "runs").spawn(8, "new");
    watched.note(Verb::Link, 1, pair(inner, 0)).note(Verb::Link, 2, pair(outer, 1));
    watched.note(Verb::StepBegin, 2, 0).note(Verb::Wait, 2, pair(queue, 2));
    watched.note(Verb::StepEnd, 0, 0).pass(70);
    watched.note(Verb::Wake, 4, 0).pass(30).note(Verb::StepBegin, 6, 0).pass(10);
    let (chain, now) = (watched.look().chain(2), watched.lookout.present().known().unwrap());
    assert_eq!(chain, [outer, inner]);
    let seen = |id| (watched.task(id).state, now.since(watched.task(id).since).as_nanos());
    assert_eq!(seen(2), (State::Waiting { what: queue, chain: 2 }, 110));
    assert_eq!(seen(4), (State::Ready, 40));
    assert_eq!(seen(6), (State::Running, 10));
    assert_eq!(seen(8), (State::Unknown, 110));
    let name = watched.lookout.name(watched.task(6).name).unwrap();
    assert_eq!(name, "runs");
}

#[test]
fn what_is_done_is_counted_from_look_to_look() {
    let mut watched = Watched::new(64);
    watched.spawn(2, "works").step(2, 30).note(Verb::StepBegin, 2, 0).pass(100);
    let present = watched.look();
    assert_eq!((present.lately().steps, present.lately().running.as_nanos()), (1, 130));
    // The step that goes on has been counted up to here.
    watched.pass(20).note(Verb::StepEnd, 0, 0).note(Verb::PollBegin, 3, 0).pass(50);
    let lately = watched.look().lately();
    assert_eq!((lately.steps, lately.running.as_nanos()), (1, 20));
    assert_eq!((lately.sleeping.as_nanos(), lately.ready), (50, 3));
    assert_eq!(lately.longest.as_nanos(), 120);
    let ran = watched.task(2).ran;
    assert_eq!((ran.steps, ran.running.as_nanos()), (1, 20));
}

#[test]
fn the_first_look_goes_back_for_a_span() {
    let mut watched = Watched::new(64);
    watched.spawn(2, "works").step(2, 300).pass(900).step(2, 40);
    let (lately, now) =
        (watched.look().lately().clone(), watched.lookout.present().known().unwrap());
    // Of the first step, what was left of it then.
    assert_eq!((lately.steps, lately.running.as_nanos()), (2, 60 + 40));
    assert_eq!(now.since(lately.began), SPAN);
}

#[test]
fn the_time_of_a_step_within_another_is_its_own() {
    let mut watched = Watched::new(64);
    watched.spawn(2, "outer").spawn(4, "eager");
    watched.note(Verb::StepBegin, 2, 0).pass(10).step(4, 5).pass(20).note(Verb::StepEnd, 0, 0);
    assert_eq!(watched.look().lately().running.as_nanos(), 35);
    let running = |id| watched.task(id).ran.running.as_nanos();
    assert_eq!((running(2), running(4)), (30, 5));
}

#[test]
fn a_step_lags_behind_the_deadline_that_it_waited_for() {
    let mut watched = Watched::new(64);
    watched.spawn(2, "sleeps").note(Verb::TimerSet, 2, 100).pass(250);
    watched.note(Verb::TimerExpire, 2, 0).note(Verb::Wake, 2, 0).pass(5).step(2, 1);
    watched.note(Verb::Wake, 2, 0).pass(3).step(2, 1);
    let lately = watched.look().lately();
    assert_eq!((lately.lags, lately.lag.as_nanos()), (2, 155 + 3));
    assert_eq!(lately.longest_lag.as_nanos(), 155);
}

#[test]
fn the_longest_step_has_a_name_also_if_it_was_the_last_of_its_task() {
    let mut watched = Watched::new(64);
    let name = watched.name("ends");
    watched.spawn(2, "ends").note(Verb::StepBegin, 2, 0).pass(10);
    watched.note(Verb::Finish, 2, 0).pass(10).note(Verb::StepEnd, 0, 0);
    let present = watched.look();
    let expected = Who::Task { name, number: 0, coroutine: name };
    assert_eq!((present.lately().longest_of, present.lately().finished), (expected, 1));
    assert_eq!(present.tasks().count(), 0);
}

#[test]
fn calls_of_a_function_are_counted_together() {
    let mut watched = Watched::new(64);
    let names = pair(watched.name("tick"), watched.name("app.py:7"));
    for callback in [11, 13] {
        let subject = TaskId::of_callback(callback).0;
        watched.note(Verb::StepBegin, subject, 0).note(Verb::Callback, 0, names).pass(4);
        watched.note(Verb::StepEnd, 0, 0);
    }
    let ran = watched.look().lately().functions[&names];
    assert_eq!((ran.steps, ran.running.as_nanos()), (2, 8));
}

#[test]
fn after_a_loss_what_the_ring_says_is_what_is_known() {
    let mut watched = Watched::new(64);
    watched.spawn(2, "ends unseen").spawn(4, "lives");
    watched.look();
    let timer = watched.name("timer");
    for _ in 0..100 {
        watched.note(Verb::Mark, 0, 0);
    }
    watched.describe(4, "lives");
    watched.note(Verb::Wait, 4, pair(timer, 0)).pass(9);
    assert!(watched.look().task(2).is_none());
    let task = watched.task(4);
    assert_eq!(task.state, State::Waiting { what: timer, chain: 0 });
    assert!(!task.is_since_known);
}

#[test]
fn keeping_up_loses_nothing_between_two_looks() {
    let mut watched = Watched::new(64);
    watched.spawn(2, "works");
    watched.look();
    for _ in 0..20 {
        for _ in 0..10 {
            watched.step(2, 1);
        }
        watched.written.flush();
        let now = watched.written.recorder.clock().now();
        watched.lookout.keep_up(now, SPAN).unwrap();
    }
    assert_eq!(watched.look().lately().steps, 200);
}

#[test]
fn a_task_of_which_the_ring_does_not_speak_any_more_is_forgotten() {
    let mut watched = Watched::new(64);
    watched.spawn(2, "dropped").spawn(4, "lives");
    for _ in 0..10 {
        for _ in 0..10 {
            watched.note(Verb::Mark, 0, 0);
        }
        watched.describe(4, "lives");
        watched.look();
    }
    assert!(watched.lookout.present().task(2).is_none());
    assert!(watched.lookout.present().task(4).is_some());
}

#[test]
fn the_recorder_of_a_loop_is_understood() {
    let mut watched = Watched::new(64);
    let recorder = &watched.written.recorder;
    recorder.spawn(TaskId(2));
    recorder.wake(TaskId(2));
    recorder.dispatch_begin(9);
    recorder.dispatch_end();
    let lately = watched.look().lately();
    assert_eq!((lately.spawned, lately.descriptors.steps), (1, 1));
    assert_eq!(watched.task(2).state, State::Ready);
}
