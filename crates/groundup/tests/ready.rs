//! The ready queue against the simplest model there is: a `VecDeque`.

use std::collections::VecDeque;

use groundup::ready::ReadyQueue;
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Act {
    Push(u8),
    Extend(Vec<u8>),
    Pop,
    PushFirst(u8),
    Remove(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => any::<u8>().prop_map(Act::Push),
        1 => vec(any::<u8>(), 0..8).prop_map(Act::Extend),
        4 => Just(Act::Pop),
        1 => any::<u8>().prop_map(Act::PushFirst),
        1 => (0..20usize).prop_map(Act::Remove),
    ];
    vec(act, 0..200)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    #[cfg_attr(miri, ignore = "too many cases for an interpreter")]
    fn it_is_first_in_first_out(start in vec(any::<u8>(), 0..8), acts in acts()) {
        let mut ready: ReadyQueue<u8> = start.iter().copied().collect();
        let mut model = VecDeque::from(start);
        for act in acts {
            match act {
                Act::Push(entry) => {
                    ready.push(entry);
                    model.push_back(entry);
                }
                Act::Extend(entries) => {
                    ready.extend(entries.iter().copied());
                    model.extend(entries);
                }
                Act::PushFirst(entry) => {
                    ready.push_first(entry);
                    model.push_front(entry);
                }
                Act::Remove(place) => prop_assert_eq!(ready.remove(place), model.remove(place)),
                Act::Pop => prop_assert_eq!(ready.pop(), model.pop_front()),
            }
            prop_assert_eq!(ready.len(), model.len());
            prop_assert_eq!(ready.is_empty(), model.is_empty());
            prop_assert!(ready.iter().eq(model.iter()));
        }
    }
}

#[test]
fn a_new_queue_is_empty() {
    for mut ready in [ReadyQueue::<u8>::new(), ReadyQueue::default()] {
        assert!(ready.is_empty());
        assert_eq!((ready.len(), ready.pop()), (0, None));
    }
}
