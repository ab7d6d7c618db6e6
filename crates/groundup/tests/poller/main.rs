//! What the contract of pollers promises, held against every driver.

#[path = "../limit/mod.rs"]
mod limit;
mod readiness;
mod sleep;

use std::io::{PipeReader, PipeWriter, Write, pipe};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use groundup::poller::{Event, Poller, Readiness, Token};

/// Runs every behaviour on every driver, each as a test of its own.
macro_rules! conformance {
    ($($group:ident { $($behaviour:ident,)* })*) => {
        mod epoll { $($(conformance!(@test Epoll $group $behaviour);)*)* }
        mod portable { $($(conformance!(@test Portable $group $behaviour);)*)* }
    };
    (@test $driver:ident $group:ident $behaviour:ident) => {
        #[test]
        #[cfg_attr(miri, ignore = "makes system calls of its own")]
        fn $behaviour() {
            crate::limit::in_time(|| {
                crate::$group::$behaviour(groundup::poller::$driver::new().unwrap());
            });
        }
    };
}

conformance! {
    readiness {
        a_direction_that_stays_ready_is_reported_by_every_poll,
        an_edge_is_reported_once_and_again_when_more_comes,
        an_interest_modified_to_an_edge_is_reported_anew,
        only_the_directions_of_interest_are_reported,
        both_directions_come_in_one_event,
        a_modified_interest_replaces_the_old_one,
        a_removed_descriptor_is_not_reported,
        a_descriptor_is_watched_once,
        what_is_not_watched_is_not_found,
        a_regular_file_cannot_be_polled,
        a_token_is_carried_exactly,
        a_hang_up_counts_as_both_directions,
        an_error_counts_as_both_directions,
        a_half_close_is_readable_only,
        events_are_added_to_those_there_are,
        many_descriptors_are_all_reported,
        a_closed_descriptor_leaves_by_itself,
    }
    sleep {
        a_zero_timeout_does_not_sleep,
        a_short_timeout_is_slept_to_its_end,
        the_longest_timeout_is_not_an_error,
        without_a_timeout_an_event_ends_the_sleep,
        a_notification_ends_the_sleep_that_is_on,
        a_notification_ends_the_next_sleep_and_only_that,
        a_notifier_outlives_its_poller,
        a_descriptor_may_be_added_while_another_thread_sleeps,
    }
}

/// What a poll that does not sleep reports.
fn ready(poller: &impl Poller) -> Vec<Event> {
    polled(poller, Some(Duration::ZERO))
}

fn polled(poller: &impl Poller, timeout: Option<Duration>) -> Vec<Event> {
    let mut events = Vec::new();
    poller.poll(timeout, &mut events).unwrap();
    events
}

fn token_of(io: &impl AsRawFd) -> Token {
    Token { descriptor: io.as_raw_fd(), generation: 7 }
}

fn event(io: &impl AsRawFd, readiness: Readiness) -> Event {
    Event { token: token_of(io), readiness }
}

fn add(poller: &impl Poller, io: &(impl AsFd + AsRawFd), interest: Readiness) {
    poller.add(io.as_fd(), token_of(io), interest).unwrap();
}

/// A pipe with something in it.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    (reader, writer)
}
