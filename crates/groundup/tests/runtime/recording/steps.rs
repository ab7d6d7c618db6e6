//! Who runs, who waits for what, and who wakes whom.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use groundup::runtime::JoinHandle;
use groundup::{sleep, spawn, yield_now};

use super::told_of;
use crate::race;

async fn takes(steps: usize) {
    for _ in 1..steps {
        yield_now().await;
    }
}

/// Waits for all of them at once.
async fn join(mut handles: Vec<JoinHandle<()>>) {
    poll_fn(|context| {
        handles.retain_mut(|handle| pin!(handle).poll(context).is_pending());
        if handles.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn three_tasks_that_are_joined() {
    let told = told_of(async {
        let tasks = [("one", 1), ("two", 2), ("three", 3)];
        join(tasks.map(|(name, steps)| spawn(takes(steps)).named(name)).into()).await;
    });
    let tasks = ["Task-1: returned", "one of Task-1: returned", "two of Task-1: returned"];
    assert_eq!(told.tasks()[..3], tasks);
    assert_eq!(told.tasks()[3..], ["three of Task-1: returned"]);
    let expected = [
        "Task-1 by Unknown",
        "one by Task-1",
        "two by Task-1",
        "three by Task-1",
        "two by two",
        "three by three",
        // The root goes on when the turn is over.
        "Task-1 by one",
        "three by three",
        "Task-1 by three",
    ];
    assert_eq!(told.steps(), expected);
    let expected = ["Task-1 for task one, task two, task three", "Task-1 for task three"];
    assert_eq!(told.waits(), expected);
}

/// A ball that is on one side, and the players who wait for it.
#[derive(Default)]
struct Table {
    side: Cell<usize>,
    players: RefCell<[Option<Waker>; 2]>,
}

impl Table {
    async fn play(&self, side: usize, rounds: usize) {
        for _ in 0..rounds {
            poll_fn(|context| {
                self.players.borrow_mut()[side] = Some(context.waker().clone());
                if self.side.get() == side { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            self.side.set(1 - side);
            self.players.borrow_mut()[1 - side].take().into_iter().for_each(Waker::wake);
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn two_tasks_that_wake_each_other() {
    let table = Rc::new(Table::default());
    let player = |side| {
        let table = table.clone();
        async move { table.play(side, 2).await }
    };
    let told = told_of(async {
        let (ping, pong) = (spawn(player(0)).named("ping"), spawn(player(1)).named("pong"));
        ping.await;
        pong.await;
    });
    let expected = [
        "Task-1 by Unknown",
        "ping by Task-1",
        "pong by Task-1",
        "ping by pong",
        "pong by ping",
        "Task-1 by ping",
    ];
    assert_eq!(told.steps(), expected);
    let expected = ["Task-1 for task ping", "ping for a waker", "pong for a waker"];
    assert_eq!(told.waits(), expected);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_timer_and_who_waits_for_it() {
    let duration = Duration::from_millis(20);
    let told = told_of(async move { sleep(duration).await });
    assert_eq!(told.steps(), ["Task-1 by Unknown", "timer by Timer", "Task-1 by Timer"]);
    assert_eq!(told.waits(), ["Task-1 for timer"]);
    assert!(told.weave.waits[0].took() >= duration);
    let polled = told.weave.polls.iter().map(|it| it.ended.since(it.began));
    assert!(polled.sum::<Duration>() >= duration / 2, "the loop slept");
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_timeout_that_does_not_come() {
    let hour = Duration::from_secs(3600);
    let told = told_of(async move {
        let work = spawn(takes(2)).named("work");
        race(work, sleep(hour)).await;
        yield_now().await;
        sleep(Duration::ZERO).await;
    });
    assert_eq!(told.waits(), ["Task-1 for task work, timer", "Task-1 for timer"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn what_is_given_up_within_a_step_is_not_waited_for() {
    let told = told_of(async {
        race(sleep(Duration::from_secs(3600)), async {}).await;
        let child = spawn(takes(1)).named("child");
        race(poll_fn(|_| Poll::Pending), child).await;
    });
    assert_eq!(told.waits(), ["Task-1 for task child"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_thread_that_wakes_a_task() {
    let told = told_of(async {
        let mut thread = None;
        poll_fn(|context| match thread.take() {
            None => {
                let waker = context.waker().clone();
                thread = Some(thread::spawn(move || {
                    thread::sleep(Duration::from_millis(20));
                    waker.wake();
                }));
                Poll::Pending
            }
            Some(thread) => {
                thread.join().unwrap();
                Poll::Ready(())
            }
        })
        .await;
    });
    assert_eq!(told.steps(), ["Task-1 by Unknown", "Task-1 by Thread"]);
    assert_eq!(told.waits(), ["Task-1 for a waker"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn tasks_are_known_by_their_functions_and_the_lines_that_made_them() {
    let line = line!() + 2;
    let told = told_of(async {
        spawn(takes(1)).await;
    });
    let lane = &told.weave.lanes[1];
    assert!(told.recording.name(lane.coroutine).ends_with("recording::steps::takes"));
    let (file, at) = lane.place;
    assert!(told.recording.name(file).ends_with("steps.rs"));
    assert_eq!(at, line);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn steps_do_not_overlap_and_waits_lie_between_them() {
    let told = told_of(async {
        let tasks = (0..20).map(|n| {
            spawn(async move {
                takes(n % 4).await;
                sleep(Duration::from_micros(n as u64 * 50)).await;
                takes(n % 3).await;
            })
        });
        join(tasks.collect()).await;
    });
    assert!(told.weave.steps.windows(2).all(|pair| pair[0].ended <= pair[1].began));
    for wait in &told.weave.waits {
        let steps = told.weave.steps.iter().filter(|step| step.lane == wait.lane);
        let overlap = |step: &&groundup::weave::Step| {
            step.began < wait.ended && wait.began < step.ended && wait.began < step.began
        };
        assert_eq!(steps.filter(overlap).count(), 0);
    }
}
