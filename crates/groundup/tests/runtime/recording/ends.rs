//! How tasks end: they return, they panic, or they are cancelled.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};

use groundup::{block_on, spawn, yield_now};

use super::{Scratch, told_of};

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_task_whose_handle_is_dropped_is_cancelled() {
    let told = told_of(async {
        let task = spawn(pending::<()>()).named("waits");
        yield_now().await;
        drop(task);
        yield_now().await;
    });
    assert_eq!(told.tasks(), ["Task-1: returned", "waits of Task-1: cancelled"]);
    assert_eq!(told.waits(), ["waits for a waker to the end"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_task_that_is_cancelled_while_it_is_ready_takes_no_step() {
    let told = told_of(async {
        drop(spawn(async {}).named("never"));
        yield_now().await;
    });
    assert_eq!(told.tasks(), ["Task-1: returned", "never of Task-1: cancelled"]);
    assert_eq!(told.steps(), ["Task-1 by Unknown", "Task-1 by Task-1"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn tasks_of_a_cancelled_task_are_cancelled_with_it() {
    let told = told_of(async {
        let parent = spawn(async { spawn(pending::<()>()).named("child").await }).named("parent");
        yield_now().await;
        yield_now().await;
        drop(parent);
    });
    let expected =
        ["Task-1: returned", "parent of Task-1: cancelled", "child of parent: cancelled"];
    assert_eq!(told.tasks(), expected);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_task_that_is_left_when_the_run_ends_is_cancelled() {
    let told = told_of(async {
        spawn(pending::<()>()).named("left").detach();
        yield_now().await;
    });
    assert_eq!(told.tasks(), ["Task-1: returned", "left of Task-1: cancelled"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_task_that_cancels_itself_has_ended_then() {
    let told = told_of(async {
        let (send, receive) = std::sync::mpsc::channel();
        let task = spawn(async move {
            drop::<groundup::runtime::JoinHandle<()>>(receive.recv().unwrap());
            yield_now().await;
        });
        send.send(task.named("itself")).unwrap();
        yield_now().await;
        yield_now().await;
    });
    assert_eq!(told.tasks(), ["Task-1: returned", "itself of Task-1: cancelled"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_task_that_panics_says_why() {
    let told = told_of(async {
        spawn(async { panic!("no {}", "bread") }).named("fails").detach();
        spawn(async { panic!("no milk") }).named("fails too").detach();
        spawn(async {}).named("well").await;
    });
    let expected = [
        "Task-1: returned",
        "fails of Task-1: raised panic: no bread",
        "fails too of Task-1: raised panic: no milk",
        "well of Task-1: returned",
    ];
    assert_eq!(told.tasks(), expected);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_run_that_panics_is_written_when_the_tape_is_dropped() {
    let scratch = Scratch::new();
    let run = || {
        let _tape = scratch.record();
        block_on(async {
            spawn(pending::<()>()).named("left").detach();
            yield_now().await;
            panic!("on purpose");
        });
    };
    assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    let told = scratch.read();
    let expected = ["Task-1: raised panic: on purpose", "left of Task-1: cancelled"];
    assert_eq!(told.tasks(), expected);
    assert_eq!(told.steps().len(), 3);
}
