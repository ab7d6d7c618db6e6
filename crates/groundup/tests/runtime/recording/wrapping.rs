//! Recordings of runs that are longer than what is kept.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use groundup::runtime::{Async, Tape};
use groundup::{block_on, sleep, spawn, yield_now};

use super::{Scratch, Told};

/// The end of a run in which one task waits all the time, and another is busy.
fn the_end_of_a_long_run(records: usize, rounds: usize) -> Told {
    let scratch = Scratch::new();
    let tape = Tape::with_capacity(&scratch.0, 32 * records).unwrap();
    block_on(async {
        let waits = spawn(sleep(Duration::from_secs(3600))).named("waits");
        let busy = spawn(async move {
            for _ in 0..rounds {
                yield_now().await;
            }
        });
        busy.named("busy").await;
        drop(waits);
    });
    tape.finish().unwrap();
    scratch.read()
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn tasks_that_live_on_keep_their_names_and_waits() {
    for rounds in 300..340 {
        let told = the_end_of_a_long_run(256, rounds);
        assert!(told.weave.lost > 256);
        let mut tasks = told.tasks();
        tasks.sort_unstable();
        assert_eq!(tasks, ["Task-1: returned", "busy: returned", "waits: cancelled"]);
        let waits = told.waits();
        assert!(waits.iter().any(|it| it == "waits for timer to the end"), "{waits:?}");
        assert!(waits.iter().any(|it| it == "Task-1 for task busy"), "{waits:?}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn sockets_that_stay_open_keep_their_names() {
    let scratch = Scratch::new();
    let tape = Tape::with_capacity(&scratch.0, 32 * 256).unwrap();
    let (one, other) = UnixStream::pair().unwrap();
    block_on(async {
        let (one, other) = (Async::new(one).unwrap(), Async::new(other).unwrap());
        for _ in 0..300 {
            one.write_all(b"to and fro").await.unwrap();
            other.read(&mut [0; 16]).await.unwrap();
            yield_now().await;
        }
    });
    tape.finish().unwrap();
    let told = scratch.read();
    assert!(told.weave.lost > 256);
    let kinds = told.weave.sockets.iter().map(|it| told.recording.name(it.kind));
    assert_eq!(kinds.collect::<Vec<_>>(), ["UnixStream", "UnixStream"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn names_do_not_fill_the_memory_however_many_there_are() {
    let scratch = Scratch::new();
    let tape = Tape::with_capacity(&scratch.0, 32 * 1024).unwrap();
    block_on(async {
        for number in 0..10_000 {
            spawn(async {}).named(format_args!("n{number}")).await;
        }
    });
    tape.finish().unwrap();
    let told = scratch.read();
    let last = told.tasks();
    assert_eq!(last.last().map(String::as_str), Some("n9999 of Task-1: returned"));
    assert!(last[2..].iter().all(|it| it.starts_with('n')), "{last:?}");
}
