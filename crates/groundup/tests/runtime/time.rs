//! Sleeping: how long, in which order, and what is left of a sleep that was given up.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use groundup::runtime::Sleep;
use groundup::{block_on, sleep, spawn, yield_now};

use crate::limit::in_time;
use crate::{Bell, Log, race};

const HOUR: Duration = Duration::from_secs(3600);

const fn milliseconds(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn poll(sleep: Pin<&mut Sleep>, bell: &Arc<Bell>) -> Poll<()> {
    sleep.poll(&mut Context::from_waker(&Waker::from(bell.clone())))
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_sleep_lasts_at_least_its_duration() {
    for duration in [Duration::ZERO, Duration::from_micros(100), milliseconds(5)] {
        let start = Instant::now();
        block_on(sleep(duration));
        let slept = start.elapsed();
        assert!(slept >= duration && slept < duration + milliseconds(5000), "{slept:?}");
    }
}

/// Sleeps, and tells between which points in time its deadline was.
async fn sleep_and_tell(duration: Duration) -> (Instant, Instant) {
    let (mut sleeping, mut deadline) = (pin!(sleep(duration)), None);
    poll_fn(|context| {
        let earliest = Instant::now() + duration;
        let polled = sleeping.as_mut().poll(context);
        deadline.get_or_insert((earliest, Instant::now() + duration));
        polled
    })
    .await;
    deadline.unwrap()
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn sleepers_wake_in_the_order_of_their_deadlines() {
    let woken = Rc::new(RefCell::new(Vec::new()));
    block_on(async {
        let sleeper = |n: u64| {
            let woken = woken.clone();
            async move {
                let deadline = sleep_and_tell(Duration::from_micros(n * 7919 % 20_000)).await;
                woken.borrow_mut().push(deadline);
            }
        };
        let sleepers: Vec<_> = (0..500).map(|n| spawn(sleeper(n))).collect();
        for sleeper in sleepers {
            sleeper.await;
        }
    });
    let mut reached = woken.borrow()[0].0;
    for &(earliest, latest) in &*woken.borrow() {
        assert!(latest >= reached, "{:?} too late", reached - latest);
        reached = reached.max(earliest);
    }
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn even_a_sleep_of_no_time_gives_way() {
    let log = Log::default();
    block_on(async {
        let other = log.clone();
        spawn(async move { other.write("other") }).detach();
        sleep(Duration::ZERO).await;
        log.write("root");
    });
    assert_eq!(log.take(), ["other", "root"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_sleep_begins_when_it_is_first_awaited() {
    let start = Instant::now();
    block_on(async {
        let sleeping = sleep(milliseconds(10));
        sleep(milliseconds(10)).await;
        sleeping.await;
    });
    assert!(start.elapsed() >= milliseconds(20));
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_sleep_that_is_given_up_leaves_no_timer() {
    block_on(async {
        let bell = Arc::new(Bell::default());
        {
            let mut sleeping = pin!(sleep(HOUR));
            assert!(poll(sleeping.as_mut(), &bell).is_pending());
            assert_eq!(Arc::strong_count(&bell), 2, "the timer has a waker");
        }
        assert_eq!(Arc::strong_count(&bell), 1, "and is gone with it");
    });
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn the_longest_sleep_can_lose_a_race() {
    in_time(|| {
        let winner = block_on(race(
            async {
                sleep(Duration::MAX).await;
                "long"
            },
            async {
                sleep(milliseconds(2)).await;
                "short"
            },
        ));
        assert_eq!(winner, "short");
    });
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_sleep_wakes_whoever_polled_it_last() {
    block_on(async {
        let (first, last) = (Arc::new(Bell::default()), Arc::new(Bell::default()));
        let mut sleeping = pin!(sleep(milliseconds(2)));
        assert!(poll(sleeping.as_mut(), &first).is_pending());
        assert!(poll(sleeping.as_mut(), &last).is_pending());
        sleep(milliseconds(10)).await;
        assert_eq!((first.rung(), last.rung()), (0, 1));
        assert!(poll(sleeping.as_mut(), &last).is_ready());
    });
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_sleep_may_go_on_on_another_loop_and_disturbs_nobody_there() {
    in_time(|| {
        let start = Instant::now();
        let [mut moved] = block_on(async {
            let mut moved = Box::pin(sleep(milliseconds(10)));
            assert!(poll(moved.as_mut(), &Arc::default()).is_pending());
            [moved]
        });
        block_on(async {
            // The first timer of each loop: their keys look alike.
            let other = spawn(sleep(milliseconds(5)));
            yield_now().await;
            moved.as_mut().await;
            other.await;
        });
        assert!(start.elapsed() >= milliseconds(10));
    });
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_sleep_that_outlives_its_loop_cancels_nothing_on_the_next() {
    in_time(|| {
        let stale = block_on(async {
            let mut stale = Box::pin(sleep(HOUR));
            assert!(poll(stale.as_mut(), &Arc::default()).is_pending());
            [stale]
        });
        block_on(async {
            let other = spawn(sleep(milliseconds(5)));
            yield_now().await;
            drop(stale);
            other.await;
        });
    });
}
