//! Recordings of small programs: what they tell is what happened, step by step.

mod ends;
mod files;
mod programs;
mod sockets;
mod steps;
mod wrapping;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use groundup::block_on;
use groundup::recorder::recording::Recording;
use groundup::runtime::Tape;
use groundup::weave::{Cause, Lane, LaneKind, Weave, build};

const CAPACITY: usize = 1 << 16;

/// A file of this test's own, which is gone when this is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, Relaxed));
        Self(std::env::temp_dir().join(format!("groundup-{process}-{count}.weave")))
    }

    fn record(&self) -> Tape {
        Tape::with_capacity(&self.0, CAPACITY).unwrap()
    }

    fn read(&self) -> Told {
        let recording = Recording::read(&std::fs::read(&self.0).unwrap()).unwrap();
        Told { weave: build(&recording), recording }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What is told of a future's run.
fn told_of(future: impl Future) -> Told {
    let scratch = Scratch::new();
    let tape = scratch.record();
    block_on(future);
    tape.finish().unwrap();
    scratch.read()
}

/// What a recording tells, in words.
struct Told {
    weave: Weave,
    recording: Recording,
}

impl Told {
    fn name(&self, lane: usize) -> String {
        let Lane { kind, name, number, .. } = self.weave.lanes[lane];
        match (self.recording.name(name), kind) {
            ("", LaneKind::Task) => format!("Task-{number}"),
            ("", LaneKind::Descriptor) => "socket".into(),
            (name, _) => name.into(),
        }
    }

    /// The tasks: who made them, and how they ended.
    fn tasks(&self) -> Vec<String> {
        let lanes = self.weave.lanes.iter().enumerate();
        let tasks = lanes.filter(|(_, lane)| lane.kind == LaneKind::Task);
        let told = tasks.map(|(number, lane)| {
            let name = self.name(number);
            let of = lane.parent.map_or(String::new(), |it| format!(" of {}", self.name(it)));
            let end =
                lane.outcome.map(|it| [it.how, it.exception].map(|it| self.recording.name(it)));
            format!("{name}{of}: {}", end.map_or("lives".into(), |it| it.join(" ")).trim_end())
        });
        told.collect()
    }

    /// All steps, in their order: whose, and who woke it.
    fn steps(&self) -> Vec<String> {
        let told = self.weave.steps.iter().map(|step| {
            let by = match step.cause {
                Cause::Step(by) => self.name(self.weave.steps[by].lane),
                other => format!("{other:?}"),
            };
            format!("{} by {by}", self.name(step.lane))
        });
        told.collect()
    }

    /// All waits, in their order: whose, and what for.
    fn waits(&self) -> Vec<String> {
        let told = self.weave.waits.iter().map(|wait| {
            let end = if wait.is_over { "" } else { " to the end" };
            format!("{} for {}{end}", self.name(wait.lane), self.recording.name(wait.what))
        });
        told.collect()
    }
}
