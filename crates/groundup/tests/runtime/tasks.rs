//! Tasks: their order, their outputs, their panics, and very many of them.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use groundup::{block_on, sleep, spawn, yield_now};

use crate::Log;
use crate::limit::in_time;

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn block_on_gives_the_output_of_its_future() {
    let borrowed = String::from("text");
    assert_eq!(block_on(async { borrowed.len() }), 4);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_task_first_runs_in_the_turn_after_it_was_spawned() {
    let log = Log::default();
    block_on(async {
        for name in ["a", "b"] {
            let log = log.clone();
            spawn(async move { log.write(name) }).detach();
        }
        log.write("root");
        yield_now().await;
        log.write("root again");
    });
    assert_eq!(log.take(), ["root", "a", "b", "root again"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn handles_may_be_joined_in_any_order() {
    let outputs = block_on(async {
        let slow = spawn(async {
            sleep(Duration::from_millis(4)).await;
            "slow"
        });
        let quick = spawn(async { "quick" });
        let medium = spawn(async {
            sleep(Duration::from_millis(2)).await;
            "medium"
        });
        [slow.await, quick.await, medium.await]
    });
    assert_eq!(outputs, ["slow", "quick", "medium"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_handle_knows_whether_its_task_has_finished() {
    block_on(async {
        let mut handle = spawn(async { 5 });
        assert!(!handle.is_finished());
        assert_eq!(format!("{handle:?}"), "JoinHandle { finished: false }");
        yield_now().await;
        assert!(handle.is_finished());
        assert_eq!((&mut handle).await, 5);
        assert!(handle.is_finished());
    });
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn tasks_may_spawn_tasks_and_join_them() {
    async fn factorial(n: u64) -> u64 {
        if n == 0 { 1 } else { n * spawn(Box::pin(factorial(n - 1))).await }
    }
    assert_eq!(block_on(factorial(10)), 3_628_800);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn tasks_that_give_way_take_turns() {
    let log = Log::default();
    let count = |name: &'static str| {
        let log = log.clone();
        async move {
            for n in 1..4 {
                log.write(format!("{name}{n}"));
                yield_now().await;
            }
        }
    };
    block_on(async {
        let (a, b) = (spawn(count("a")), spawn(count("b")));
        count("root").await;
        a.await;
        b.await;
    });
    let expected = ["root1", "a1", "b1", "root2", "a2", "b2", "root3", "a3", "b3"];
    assert_eq!(log.take(), expected);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
#[should_panic(expected = "the task's own words")]
fn a_panic_in_a_task_surfaces_where_it_is_joined() {
    block_on(async {
        let handle = spawn(async { panic!("the task's own words") });
        yield_now().await;
        assert!(handle.is_finished(), "the loop goes on meanwhile");
        handle.await;
    });
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_panic_in_a_task_harms_no_other() {
    let output = block_on(async {
        let panics = spawn(async { panic!("on purpose") });
        let other = spawn(async {
            yield_now().await;
            "fine"
        });
        spawn(async { panic!("on purpose, too") }).detach();
        let output = other.await;
        assert!(catch_unwind(AssertUnwindSafe(|| drop(panics))).is_ok());
        output
    });
    assert_eq!(output, "fine");
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
#[should_panic(expected = "JoinHandle awaited after it gave its output")]
fn a_handle_gives_its_output_once() {
    block_on(async {
        let mut handle = spawn(async {});
        (&mut handle).await;
        handle.await;
    });
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn ten_thousand_tasks_run_side_by_side() {
    in_time(|| {
        let (running, most) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let task = |n: u64| {
            let (running, most) = (running.clone(), most.clone());
            async move {
                running.set(running.get() + 1);
                most.set(most.get().max(running.get()));
                yield_now().await;
                sleep(Duration::from_millis(n % 10)).await;
                running.set(running.get() - 1);
                n
            }
        };
        let sum = block_on(async {
            let handles: Vec<_> = (0..10_000).map(|n| spawn(task(n))).collect();
            let mut sum = 0;
            for handle in handles {
                sum += handle.await;
            }
            sum
        });
        assert_eq!((sum, running.get(), most.get()), (49_995_000, 0, 10_000));
    });
}
