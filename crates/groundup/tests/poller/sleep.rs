//! How long a poll sleeps, and what ends the sleep.

use std::io::{self, Write, pipe};
use std::os::unix::thread::JoinHandleExt;
use std::thread;
use std::time::{Duration, Instant};

use groundup::inbox::Notify;
use groundup::poller::{Epoll, Poller, Portable, Readiness};

use super::*;

const SHORT: Duration = Duration::from_millis(10);
const LONG: Duration = Duration::from_secs(10);

pub fn a_zero_timeout_does_not_sleep(poller: impl Poller) {
    let start = Instant::now();
    for _ in 0..100 {
        assert_eq!(ready(&poller), []);
    }
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

pub fn a_short_timeout_is_slept_to_its_end(poller: impl Poller) {
    for timeout in [Duration::from_nanos(1), Duration::from_micros(300), SHORT] {
        let start = Instant::now();
        assert_eq!(polled(&poller, Some(timeout)), []);
        let slept = start.elapsed();
        assert!(slept >= timeout && slept < timeout + LONG, "{slept:?} for {timeout:?}");
    }
}

pub fn the_longest_timeout_is_not_an_error(poller: impl Poller) {
    let (reader, _writer) = full_pipe();
    add(&poller, &reader, Readiness::READABLE);
    for timeout in [Duration::MAX, Duration::from_secs(i64::MAX as u64), 1_000_000 * LONG] {
        assert_eq!(polled(&poller, Some(timeout)), [event(&reader, Readiness::READABLE)]);
    }
}

pub fn without_a_timeout_an_event_ends_the_sleep(poller: impl Poller) {
    let (reader, mut writer) = pipe().unwrap();
    add(&poller, &reader, Readiness::READABLE);
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(SHORT);
            writer.write_all(b"x").unwrap();
        });
        assert_eq!(polled(&poller, None), [event(&reader, Readiness::READABLE)]);
    });
}

pub fn a_notification_ends_the_sleep_that_is_on(poller: impl Poller) {
    let notifier = poller.notifier();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(SHORT);
            notifier.notify();
        });
        assert_eq!(polled(&poller, None), []);
    });
}

pub fn a_notification_ends_the_next_sleep_and_only_that(poller: impl Poller) {
    for _ in 0..3 {
        for _ in 0..3 {
            poller.notifier().notify();
        }
        assert_eq!(polled(&poller, None), []);
        let start = Instant::now();
        assert_eq!(polled(&poller, Some(SHORT)), []);
        assert!(start.elapsed() >= SHORT, "it slept for {:?} only", start.elapsed());
    }
}

pub fn a_notifier_outlives_its_poller(poller: impl Poller) {
    let notifier = poller.notifier();
    drop(poller);
    notifier.notify();
}

pub fn a_descriptor_may_be_added_while_another_thread_sleeps(poller: impl Poller) {
    let (reader, _writer) = full_pipe();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(SHORT);
            add(&poller, &reader, Readiness::READABLE);
        });
        assert_eq!(polled(&poller, None), [event(&reader, Readiness::READABLE)]);
    });
}

/// Polls with `timeout` on a thread that gets signals, and gives what came of it.
fn poll_under_signals(poller: impl Poller + Send + 'static, timeout: Duration) -> io::Result<()> {
    extern "C" fn ignore(_: libc::c_int) {}
    // SAFETY: the handler does nothing, which may be done at any time.
    unsafe { libc::signal(libc::SIGUSR1, ignore as *const () as libc::sighandler_t) };
    let sleeper = thread::spawn(move || poller.poll(Some(timeout), &mut Vec::new()));
    while !sleeper.is_finished() {
        thread::sleep(Duration::from_millis(1));
        // SAFETY: the thread has not been joined, so its name still stands.
        unsafe { libc::pthread_kill(sleeper.as_pthread_t(), libc::SIGUSR1) };
    }
    sleeper.join().unwrap()
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_signal_ends_a_sleep_on_epoll() {
    let outcome = poll_under_signals(Epoll::new().unwrap(), LONG);
    assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::Interrupted);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_signal_does_not_shorten_a_sleep_on_the_portable_driver() {
    let start = Instant::now();
    poll_under_signals(Portable::new().unwrap(), SHORT).unwrap();
    assert!(start.elapsed() >= SHORT, "{:?}", start.elapsed());
}
