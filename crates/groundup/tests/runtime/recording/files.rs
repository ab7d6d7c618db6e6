//! When a recording begins and ends, and what may go wrong with its file.

use std::cell::Cell;
use std::io::ErrorKind;

use groundup::recorder::{Verb, halves};
use groundup::runtime::Tape;
use groundup::{block_on, record, spawn, yield_now};

use super::Scratch;

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_recording_may_begin_and_end_within_a_run() {
    let scratch = Scratch::new();
    block_on(async {
        let before = spawn(async {
            yield_now().await;
            yield_now().await;
        });
        yield_now().await;
        let tape = scratch.record();
        let child = spawn(async {}).named("child");
        before.await;
        child.await;
        tape.finish().unwrap();
        spawn(async {}).named("after").await;
    });
    let told = scratch.read();
    let expected = ["Task-1: lives", "Task-2: returned", "child of Task-1: returned"];
    assert_eq!(told.tasks(), expected);
    let expected = [
        "Task-1 by Unknown",
        "Task-2 by Unknown",
        "child by Task-1",
        "Task-2 by Task-2",
        "Task-1 by Task-2",
    ];
    assert_eq!(told.steps(), expected);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_recording_may_begin_in_a_task() {
    let scratch = Scratch::new();
    block_on(async {
        let task = spawn(async {
            let tape = scratch_of_a_task();
            spawn(async {}).named("child").await;
            tape
        });
        let (tape, path) = task.await;
        tape.finish().unwrap();
        std::fs::rename(path, &scratch.0).unwrap();
    });
    let told = scratch.read();
    assert_eq!(told.tasks(), ["Task-1: lives", "Task-2: returned", "child of Task-2: returned"]);

    fn scratch_of_a_task() -> (Tape, std::path::PathBuf) {
        let scratch = Scratch::new();
        let path = scratch.0.with_extension("task");
        (record(&path).unwrap(), path)
    }
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn several_runs_may_be_in_one_recording() {
    let scratch = Scratch::new();
    let tape = scratch.record();
    tape.mark("the first");
    block_on(async { spawn(async {}).named("a").await });
    tape.mark("the second");
    block_on(async { spawn(async {}).await });
    tape.finish().unwrap();
    block_on(async {});
    let told = scratch.read();
    let expected = [
        "Task-1: returned",
        "a of Task-1: returned",
        "Task-1: returned",
        "Task-2 of Task-1: returned",
    ];
    assert_eq!(told.tasks(), expected);
    let marks = told.weave.marks.iter().map(|mark| told.recording.name(mark.text));
    assert_eq!(marks.collect::<Vec<_>>(), ["the first", "the second"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_recording_says_of_which_program_it_is() {
    let told = super::told_of(async {});
    let facts = told.recording.of(Verb::Fact).map(|it| halves(it.detail));
    let facts = facts.map(|(fact, value)| [fact, value].map(|it| told.recording.name(it)));
    let facts: Vec<_> = facts.collect();
    let program = std::env::current_exe().unwrap();
    let program = program.file_name().unwrap().to_str().unwrap();
    assert_eq!(facts, [["program", program], ["groundup", env!("CARGO_PKG_VERSION")]]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_thread_is_recorded_once_at_a_time() {
    let (one, other) = (Scratch::new(), Scratch::new());
    let tape = one.record();
    assert_eq!(record(&other.0).unwrap_err().kind(), ErrorKind::ResourceBusy);
    std::thread::scope(|scope| {
        scope.spawn(|| drop(other.record()));
    });
    tape.finish().unwrap();
    drop(one.record());
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn what_is_wrong_with_the_file_is_said_when_it_is_opened_or_written() {
    let nowhere = record("/nonexistent/run.weave").unwrap_err();
    assert_eq!(nowhere.kind(), ErrorKind::NotFound);
    let small = Tape::with_capacity("/dev/null", 31).unwrap_err();
    assert_eq!(small.kind(), ErrorKind::InvalidInput);
    let full = record("/dev/full").unwrap().finish().unwrap_err();
    assert_eq!(full.kind(), ErrorKind::StorageFull);
    record("/dev/null").unwrap().finish().unwrap();
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn the_smallest_recording_keeps_the_last_record() {
    let scratch = Scratch::new();
    let tape = Tape::with_capacity(&scratch.0, 32).unwrap();
    block_on(async { spawn(async {}).await });
    tape.finish().unwrap();
    assert_eq!(scratch.read().recording.records.len(), 1);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_name_is_made_only_while_there_is_a_recording() {
    struct Counted<'a>(&'a Cell<usize>);
    impl std::fmt::Display for Counted<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.set(self.0.get() + 1);
            f.write_str("counted")
        }
    }
    let made = Cell::new(0);
    block_on(async { spawn(async {}).named(Counted(&made)).await });
    assert_eq!(made.get(), 0);
    super::told_of(async { spawn(async {}).named(Counted(&made)).await });
    assert_eq!(made.get(), 1);
}
