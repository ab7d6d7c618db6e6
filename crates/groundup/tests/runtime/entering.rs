//! Going in and out of `block_on`: where it may be called, and what a panic leaves behind.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use groundup::runtime::Async;
use groundup::{block_on, sleep, spawn, yield_now};

use crate::OnDrop;

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
#[should_panic(expected = "block_on called inside block_on")]
fn block_on_inside_block_on_panics() {
    block_on(async { block_on(async {}) });
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn the_outer_loop_survives_a_nested_block_on() {
    let output = block_on(async {
        assert!(catch_unwind(|| block_on(async {})).is_err());
        spawn(async { "fine" }).await
    });
    assert_eq!(output, "fine");
}

#[test]
#[should_panic(expected = "this works only inside block_on")]
fn spawning_outside_of_block_on_panics() {
    spawn(async {}).detach();
}

#[test]
#[should_panic(expected = "this works only inside block_on")]
fn sleeping_outside_of_block_on_panics() {
    let _ = pin!(sleep(Duration::ZERO)).poll(&mut Context::from_waker(Waker::noop()));
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
#[should_panic(expected = "this works only inside block_on")]
fn entering_a_descriptor_outside_of_block_on_panics() {
    let (reader, _writer) = std::io::pipe().unwrap();
    let _ = Async::new(reader);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn each_thread_has_its_own_loop() {
    let threads: Vec<_> = (0..4)
        .map(|n| thread::spawn(move || block_on(async move { spawn(async move { n }).await })))
        .collect();
    let outputs: Vec<i32> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(outputs, [0, 1, 2, 3]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn block_on_can_be_called_again_after_a_panic() {
    let panics = || {
        block_on(async {
            spawn(pending::<()>()).detach();
            yield_now().await;
            panic!("on purpose");
        })
    };
    assert!(catch_unwind(panics).is_err());
    assert_eq!(block_on(async { spawn(async { 3 }).await }), 3);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn block_on_can_be_called_again_after_a_destructor_panicked() {
    let panics = || {
        block_on(async {
            let guard = OnDrop(|| panic!("on purpose"));
            spawn(async move {
                let _guard = guard;
                pending::<()>().await;
            })
            .detach();
            yield_now().await;
        })
    };
    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    assert_eq!(block_on(async { spawn(async { 3 }).await }), 3);
}
