//! Cancellation is dropping: what a task holds is dropped with it, and nothing of it runs again.

use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use groundup::runtime::JoinHandle;
use groundup::{block_on, sleep, spawn, yield_now};

use crate::limit::in_time;
use crate::{Log, OnDrop};

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn dropping_the_handle_drops_the_task_at_once() {
    let log = Log::default();
    block_on(async {
        let guard = log.guard("dropped");
        let handle = spawn(async move {
            let _guard = guard;
            sleep(Duration::from_secs(3600)).await;
            unreachable!("it was cancelled");
        });
        yield_now().await;
        assert!(log.take().is_empty());
        drop(handle);
        assert_eq!(log.take(), ["dropped"]);
    });
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_task_that_is_cancelled_before_it_ran_never_runs() {
    let log = Log::default();
    block_on(async {
        let (guard, ran) = (log.guard("dropped"), log.clone());
        drop(spawn(async move {
            let _guard = guard;
            ran.write("ran");
        }));
        yield_now().await;
    });
    assert_eq!(log.take(), ["dropped"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_task_that_is_cancelled_while_it_is_ready_does_not_run_again() {
    let log = Log::default();
    block_on(async {
        let writes = |name: &'static str| {
            let log = log.clone();
            async move { log.write(name) }
        };
        let ready = spawn(async {
            yield_now().await;
            unreachable!("it was cancelled");
        });
        yield_now().await;
        let first = spawn(writes("first"));
        drop(ready);
        // It may lie in the slot of the cancelled task, but is not taken for it.
        let second = spawn(writes("second"));
        second.await;
        first.await;
    });
    assert_eq!(log.take(), ["first", "second"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_detached_task_goes_on_alone() {
    let log = Log::default();
    block_on(async {
        let ran = log.clone();
        spawn(async move {
            yield_now().await;
            ran.write("ran to its end");
        })
        .detach();
        sleep(Duration::from_millis(1)).await;
    });
    assert_eq!(log.take(), ["ran to its end"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_task_may_cancel_itself_and_is_dropped_where_it_next_stops() {
    let log = Log::default();
    block_on(async {
        let own: Rc<RefCell<Option<JoinHandle<()>>>> = Rc::default();
        let (guard, inside, handle) = (log.guard("dropped"), log.clone(), own.clone());
        *own.borrow_mut() = Some(spawn(async move {
            let _guard = guard;
            drop(handle.take());
            inside.write("still runs");
            yield_now().await;
            inside.write("never runs");
        }));
        yield_now().await;
        yield_now().await;
    });
    assert_eq!(log.take(), ["still runs", "dropped"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn tasks_that_are_left_at_the_end_are_cancelled() {
    let log = Log::default();
    block_on(async {
        for name in ["a", "b"] {
            let guard = log.guard(name);
            spawn(async move {
                let _guard = guard;
                pending::<()>().await;
            })
            .detach();
        }
        yield_now().await;
    });
    let mut dropped = log.take();
    dropped.sort();
    assert_eq!(dropped, ["a", "b"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn what_destructors_spawn_at_the_end_is_cancelled_too() {
    let log = Log::default();
    block_on(async {
        let last = log.clone();
        let spawns = OnDrop(move || {
            let guard = last.guard("spawned at the end");
            spawn(async move {
                let _guard = guard;
                unreachable!("the loop does not turn any more");
            })
            .detach();
        });
        spawn(async move {
            let _spawns = spawns;
            pending::<()>().await;
        })
        .detach();
        yield_now().await;
    });
    assert_eq!(log.take(), ["spawned at the end"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn the_future_of_block_on_is_dropped_while_its_loop_is_there() {
    let log = Log::default();
    let written = log.clone();
    let spawns = OnDrop(move || {
        written.write("dropped");
        spawn(async {}).detach();
    });
    // This future keeps what it holds when it is ready.
    block_on(poll_fn(move |_| {
        let _ = &spawns;
        Poll::Ready(())
    }));
    assert_eq!(log.take(), ["dropped"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_handle_that_outlives_its_loop_cancels_nothing_on_the_next() {
    let output = in_time(|| {
        let stale = block_on(async { [spawn(pending::<()>())] });
        block_on(async {
            let handle = spawn(async { "fine" });
            drop(stale);
            handle.await
        })
    });
    assert_eq!(output, "fine");
}
