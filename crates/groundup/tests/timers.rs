//! Timers against a simple model: a vector, kept sorted by deadline with equals in their order.

use std::collections::BTreeSet;

use groundup::clock::Timestamp;
use groundup::timers::{TimerKey, Timers};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// The timers that are set, the one that is due first in front.
#[derive(Default)]
struct Model {
    waiting: Vec<(Timestamp, u32)>,
}

impl Model {
    fn insert(&mut self, deadline: Timestamp, value: u32) {
        let place = self.waiting.partition_point(|(earlier, _)| *earlier <= deadline);
        self.waiting.insert(place, (deadline, value));
    }

    fn cancel(&mut self, value: u32) -> Option<u32> {
        let place = self.waiting.iter().position(|(_, waiting)| *waiting == value)?;
        Some(self.waiting.remove(place).1)
    }

    fn expire(&mut self, now: Timestamp) -> Option<u32> {
        let (deadline, _) = *self.waiting.first()?;
        let due = deadline <= now && deadline != Timestamp::NEVER;
        due.then(|| self.waiting.remove(0).1)
    }
}

#[derive(Clone, Debug)]
enum Act {
    Insert(Timestamp),
    /// Cancels one of all the timers that were ever set.
    Cancel(Index),
    /// Expires one timer.
    Expire(Timestamp),
}

/// Few different points in time, so that many are equal; before, at and after zero, and never.
fn timestamp() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        8 => (-3..4i64).prop_map(Timestamp),
        1 => Just(Timestamp(i64::MIN)),
        1 => Just(Timestamp::NEVER),
    ]
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => timestamp().prop_map(Act::Insert),
        3 => any::<Index>().prop_map(Act::Cancel),
        1 => timestamp().prop_map(Act::Expire),
    ];
    vec(act, 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    #[cfg_attr(miri, ignore = "too many cases for an interpreter")]
    fn they_behave_as_a_sorted_vector(acts in acts()) {
        let (mut timers, mut model) = (Timers::new(), Model::default());
        let mut keys: Vec<TimerKey> = Vec::new();
        for act in acts {
            match act {
                Act::Insert(deadline) => {
                    let value = keys.len() as u32;
                    keys.push(timers.insert(deadline, value));
                    model.insert(deadline, value);
                }
                Act::Cancel(index) if !keys.is_empty() => {
                    let value = index.index(keys.len());
                    prop_assert_eq!(timers.cancel(keys[value]), model.cancel(value as u32));
                }
                Act::Cancel(_) => {}
                Act::Expire(now) => prop_assert_eq!(timers.expire(now), model.expire(now)),
            }
            prop_assert_eq!(timers.next_deadline(), model.waiting.first().map(|first| first.0));
            prop_assert_eq!(timers.len(), model.waiting.len());
            prop_assert_eq!(timers.is_empty(), model.waiting.is_empty());
            let waiting: BTreeSet<u32> = timers.iter().copied().collect();
            prop_assert_eq!(waiting, model.waiting.iter().map(|(_, value)| *value).collect());
        }
        while let Some(value) = model.expire(Timestamp(i64::MAX - 1)) {
            prop_assert_eq!(timers.expire(Timestamp(i64::MAX - 1)), Some(value));
        }
        prop_assert_eq!(timers.expire(Timestamp::NEVER), None);
    }
}

/// All that is due at `now`, in its order.
fn expired(timers: &mut Timers<&'static str>, now: i64) -> Vec<&'static str> {
    std::iter::from_fn(|| timers.expire(Timestamp(now))).collect()
}

#[test]
fn they_expire_by_deadline() {
    let mut timers = Timers::new();
    for (deadline, name) in [(30, "c"), (-10, "a"), (20, "b"), (40, "d")] {
        timers.insert(Timestamp(deadline), name);
    }
    assert_eq!(timers.next_deadline(), Some(Timestamp(-10)));
    assert_eq!(expired(&mut timers, 30), ["a", "b", "c"]);
    assert_eq!(timers.next_deadline(), Some(Timestamp(40)));
}

#[test]
fn equal_deadlines_keep_the_order_they_were_set_in() {
    let mut timers = Timers::new();
    let names: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let names: Vec<&'static str> = names.into_iter().map(|name| &*name.leak()).collect();
    // Slots that are used again must not change the order.
    let freed: Vec<_> = (0..50).map(|_| timers.insert(Timestamp(5), "gone")).collect();
    for (name, key) in names.iter().zip(freed.into_iter().map(Some).chain(std::iter::repeat(None)))
    {
        if let Some(key) = key {
            timers.cancel(key);
        }
        timers.insert(Timestamp(5), name);
    }
    assert_eq!(expired(&mut timers, 5), names);
}

#[test]
fn a_deadline_that_never_comes_does_not_expire() {
    let mut timers = Timers::new();
    let key = timers.insert(Timestamp::NEVER, "never");
    assert_eq!(timers.expire(Timestamp::NEVER), None);
    assert_eq!(timers.next_deadline(), Some(Timestamp::NEVER));
    assert_eq!(timers.cancel(key), Some("never"));
    assert_eq!(timers.next_deadline(), None);
}

#[test]
fn a_key_is_good_once() {
    let mut timers = Timers::new();
    let first = timers.insert(Timestamp(1), "first");
    assert_eq!(timers.cancel(first), Some("first"));
    let second = timers.insert(Timestamp(1), "second");
    assert_ne!(first, second);
    assert_eq!(timers.cancel(first), None);
    assert_eq!(expired(&mut timers, 1), ["second"]);
    assert_eq!(timers.cancel(second), None);
}

#[test]
fn sweeping_the_cancelled_out_keeps_the_rest() {
    let mut timers = Timers::new();
    let keys: Vec<_> = (0..1000i64).map(|n| timers.insert(Timestamp(n % 7), n)).collect();
    let (kept, cancelled): (Vec<_>, Vec<_>) = (0..1000).partition(|n| n % 10 == 3);
    for &n in &cancelled {
        assert_eq!(timers.cancel(keys[n as usize]), Some(n));
    }
    let mut expected = kept;
    expected.sort_by_key(|n| n % 7);
    let expired: Vec<_> = std::iter::from_fn(|| timers.expire(Timestamp(7))).collect();
    assert_eq!(expired, expected);
}

#[test]
fn they_can_be_looked_at_in_the_order_they_are_due() {
    let mut timers = Timers::new();
    let keys = [5, 1, 3, 1].map(|deadline| timers.insert(Timestamp(deadline), deadline));
    timers.cancel(keys[2]);
    assert!(timers.sorted().eq([1, 1, 5].iter()));
}
