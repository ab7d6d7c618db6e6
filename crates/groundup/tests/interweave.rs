//! Taking turns: in which order, who yielded, what each returned, and who is left.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;

use groundup::coroutine::{Coroutine, Step, from_fn};
use groundup::generator::{Yielder, generator};
use groundup::interweave::Turn;
use groundup::{interweave, run, run_all};

/// A coroutine that yields numbers and returns their sum.
fn numbers(numbers: &[i32]) -> Pin<Box<impl Coroutine<Yield = i32, Return = i32> + use<>>> {
    let numbers = numbers.to_vec();
    Box::pin(generator(async move |yielder| {
        for &n in &numbers {
            yielder.yield_(n).await;
        }
        numbers.iter().sum()
    }))
}

fn yields<Y, R>(turns: impl Iterator<Item = Turn<Y, R>>) -> Vec<Y> {
    turns
        .filter_map(|turn| match turn.step {
            Step::Yielded(value) => Some(value),
            Step::Returned(_) => None,
        })
        .collect()
}

#[test]
fn run_gives_what_is_returned_and_passes_over_yields() {
    assert_eq!(run(numbers(&[1, 2, 3])), 6);
    assert_eq!(run(numbers(&[])), 0);
}

#[test]
fn coroutines_of_equal_length_take_turns() {
    let weave = interweave([numbers(&[1, 2, 3, 4]), numbers(&[10, 20, 30, 40])]);
    assert_eq!(yields(weave), [1, 10, 2, 20, 3, 30, 4, 40]);
}

#[test]
fn the_longer_coroutine_finishes_alone() {
    let weave = interweave([numbers(&[1, 2, 3, 4, 5, 6]), numbers(&[10, 20]), numbers(&[100])]);
    assert_eq!(yields(weave), [1, 10, 100, 2, 20, 3, 4, 5, 6]);
}

#[test]
fn every_turn_says_who_yielded_and_what_was_returned() {
    let turns: Vec<_> = interweave([numbers(&[1]), numbers(&[]), numbers(&[3, 4])])
        .map(|turn| (turn.index, turn.step))
        .collect();
    use Step::{Returned, Yielded};
    let expected = [
        (0, Yielded(1)),
        (1, Returned(0)),
        (2, Yielded(3)),
        (0, Returned(1)),
        (2, Yielded(4)),
        (2, Returned(7)),
    ];
    assert_eq!(turns, expected);
}

#[test]
fn nothing_is_resumed_before_it_is_asked_for() {
    let log = RefCell::new(Vec::new());
    let step = |name| {
        let log = &log;
        from_fn(move |()| {
            log.borrow_mut().push(name);
            Step::<(), ()>::Yielded(())
        })
    };
    let mut weave = interweave([step("a"), step("b")]);
    assert!(log.borrow().is_empty());
    weave.next();
    assert_eq!(*log.borrow(), ["a"]);
    weave.next();
    weave.next();
    assert_eq!(*log.borrow(), ["a", "b", "a"]);
}

#[test]
fn run_all_gives_results_in_the_order_the_coroutines_came_in() {
    assert_eq!(
        run_all([numbers(&[1, 2, 3, 4, 5, 6]), numbers(&[]), numbers(&[10, 20])]),
        [21, 0, 30]
    );
}

#[test]
fn nobody_to_run_is_no_result() {
    assert!(run_all(Vec::<Pin<Box<dyn Coroutine<Yield = (), Return = i32>>>>::new()).is_empty());
    assert!(interweave([(); 0].map(|()| numbers(&[1]))).next().is_none());
}

#[test]
fn a_turn_passes_its_input_on() {
    let adder = || {
        Box::pin(generator(async |yielder: Yielder<i32, i32>| {
            let first = yielder.first_input();
            let second = yielder.yield_(first).await;
            first + second
        }))
    };
    let mut weave = interweave([adder(), adder()]);
    let steps: Vec<_> = (1..5).map(|n| weave.turn(n).unwrap().step).collect();
    use Step::{Returned, Yielded};
    assert_eq!(steps, [Yielded(1), Yielded(2), Returned(4), Returned(6)]);
    assert!(weave.turn(5).is_none());
}

#[test]
fn coroutines_of_different_types_are_interwoven_as_boxes() {
    type Boxed = Pin<Box<dyn Coroutine<Yield = i32, Return = i32>>>;
    let closure: Boxed = Box::pin(from_fn(|()| Step::Returned(5)));
    let weave: [Boxed; 2] = [numbers(&[1, 2]), closure];
    assert_eq!(run_all(weave), [3, 5]);
}

#[test]
fn what_has_not_returned_can_be_counted_seen_and_taken_out() {
    let mut weave = interweave([numbers(&[1]), numbers(&[2]), numbers(&[3])]);
    weave.next();
    assert_eq!((weave.len(), weave.iter().count(), weave.is_empty()), (3, 3, false));
    let mut second = weave.pop().unwrap();
    assert_eq!(second.as_mut().resume(()), Step::Yielded(2));
    assert_eq!(yields(&mut weave), [3]);
    assert!(weave.is_empty() && weave.pop().is_none());
}

/// Writes down when it is dropped.
struct Dropped(i32, Rc<RefCell<Vec<i32>>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

fn guarded(
    name: i32,
    yields: i32,
    log: &Rc<RefCell<Vec<i32>>>,
) -> Pin<Box<impl Coroutine<Yield = i32, Return = ()> + use<>>> {
    let guard = Dropped(name, log.clone());
    Box::pin(generator(async move |yielder| {
        let _guard = guard;
        for n in 0..yields {
            yielder.yield_(n).await;
        }
    }))
}

#[test]
fn dropping_the_weave_midway_drops_those_that_have_not_returned() {
    let log = Rc::default();
    let mut weave = interweave([guarded(1, 5, &log), guarded(2, 0, &log), guarded(3, 5, &log)]);
    weave.by_ref().take(3).for_each(drop);
    assert_eq!(*log.borrow(), [2]);
    drop(weave);
    assert_eq!(*log.borrow(), [2, 1, 3]);
}

#[test]
fn a_coroutine_that_panics_is_dropped_and_the_others_go_on() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let guard = Dropped(7, log.clone());
    type Boxed = Pin<Box<dyn Coroutine<Yield = i32, Return = i32>>>;
    let panics: Boxed = Box::pin(from_fn(move |()| {
        let Dropped(name, _) = &guard;
        panic!("{name} went wrong")
    }));
    let mut weave = interweave([numbers(&[1, 2]) as Boxed, panics]);
    weave.next();
    assert!(catch_unwind(AssertUnwindSafe(|| weave.next())).is_err());
    assert_eq!(*log.borrow(), [7]);
    assert_eq!(yields(weave), [2]);
}
