//! Timestamps at their limits, the system's clock, and the one that is turned by hand.

use std::time::Duration;

use groundup::clock::{Clock, Monotonic, Timestamp, Virtual};
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    #[cfg_attr(miri, ignore = "too many cases for an interpreter")]
    fn after_and_since_undo_one_another(start in any::<i64>(), nanoseconds in any::<u64>()) {
        let (start, duration) = (Timestamp(start), Duration::from_nanos(nanoseconds));
        let end = start.after(duration);
        prop_assert!(end >= start);
        if end < Timestamp::NEVER {
            prop_assert_eq!(end.since(start), duration);
            prop_assert_eq!(start.since(end), Duration::ZERO);
        }
    }
}

#[test]
fn nothing_is_later_than_never() {
    assert_eq!(Timestamp(5).after(Duration::MAX), Timestamp::NEVER);
    assert_eq!(Timestamp::NEVER.after(SECOND), Timestamp::NEVER);
    assert_eq!(Timestamp(i64::MAX - 1).after(SECOND), Timestamp::NEVER);
    assert!(Timestamp(i64::MAX - 1) < Timestamp::NEVER);
}

#[test]
fn a_timestamp_may_be_negative() {
    assert_eq!(Timestamp(-2_000_000_000).after(SECOND), Timestamp(-1_000_000_000));
    assert_eq!(Timestamp(1).since(Timestamp(-1)), Duration::from_nanos(2));
    let all_of_time = Timestamp(i64::MAX).since(Timestamp(i64::MIN));
    assert_eq!(all_of_time, Duration::from_nanos(u64::MAX));
}

#[test]
fn the_time_since_something_later_is_zero() {
    assert_eq!(Timestamp(1).since(Timestamp(2)), Duration::ZERO);
    assert_eq!(Timestamp(i64::MIN).since(Timestamp(i64::MAX)), Duration::ZERO);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn the_monotonic_clock_goes_forward_with_the_system() {
    let (before, system) = (Monotonic.now(), std::time::Instant::now());
    std::thread::sleep(Duration::from_millis(5));
    let (passed, system) = (Monotonic.now().since(before), system.elapsed());
    assert!(passed >= Duration::from_millis(5), "{passed:?}");
    assert!(passed.abs_diff(system) < SECOND, "{passed:?} {system:?}");
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn on_the_monotonic_clock_a_loop_sleeps_until_the_deadline() {
    let now = Monotonic.now();
    let sleep = Monotonic.sleep_until(Some(now.after(100 * SECOND))).unwrap();
    assert!(sleep <= 100 * SECOND && sleep > 90 * SECOND, "{sleep:?}");
    assert_eq!(Monotonic.sleep_until(Some(now)), Some(Duration::ZERO));
    assert_eq!(Monotonic.sleep_until(Some(Timestamp(-1))), Some(Duration::ZERO));
    assert_eq!(Monotonic.sleep_until(Some(Timestamp::NEVER)), None);
    assert_eq!(Monotonic.sleep_until(None), None);
}

#[test]
fn a_virtual_clock_stands_still_until_it_is_advanced() {
    let clock = Virtual::starting_at(Timestamp(-5));
    assert_eq!(clock.now(), Timestamp(-5));
    assert_eq!(clock.now(), Timestamp(-5));
    clock.advance(Duration::from_nanos(7));
    assert_eq!(clock.now(), Timestamp(2));
    assert_eq!(Virtual::default().now(), Timestamp(0));
}

#[test]
fn a_virtual_clock_jumps_to_the_deadline_instead_of_sleeping() {
    let clock = Virtual::default();
    let deadline = Timestamp(0).after(3600 * SECOND);
    assert_eq!(clock.sleep_until(Some(deadline)), Some(Duration::ZERO));
    assert_eq!(clock.now(), deadline);
}

#[test]
fn a_virtual_clock_never_goes_back_and_never_jumps_to_never() {
    let clock = Virtual::starting_at(Timestamp(10));
    assert_eq!(clock.sleep_until(Some(Timestamp(5))), Some(Duration::ZERO));
    assert_eq!(clock.sleep_until(Some(Timestamp::NEVER)), None);
    assert_eq!(clock.sleep_until(None), None);
    assert_eq!(clock.now(), Timestamp(10));
}
