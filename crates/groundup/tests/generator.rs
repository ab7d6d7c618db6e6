//! Generators: values in, values out, a value returned, delegation, and an end in the middle.

use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use groundup::coroutine::{Coroutine, Step, from_fn};
use groundup::generator::{Yielder, generator};
use groundup::{interweave, run};

/// Writes its name down when it is dropped.
struct Dropped(&'static str, Rc<RefCell<Vec<&'static str>>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

fn yielded<C: Coroutine + Unpin>(coroutine: C) -> (Vec<C::Yield>, C::Return) {
    let mut values = Vec::new();
    for turn in interweave([coroutine]) {
        match turn.step {
            Step::Yielded(value) => values.push(value),
            Step::Returned(result) => return (values, result),
        }
    }
    unreachable!("it returned nothing")
}

#[test]
fn values_are_yielded_in_order_and_one_is_returned() {
    let generator = Box::pin(generator(async |yielder: Yielder<i32>| {
        for n in 1..4 {
            yielder.yield_(n * n).await;
        }
        "end"
    }));
    assert_eq!(yielded(generator), (vec![1, 4, 9], "end"));
}

#[test]
fn nothing_runs_before_the_first_resume() {
    let steps = RefCell::new(Vec::new());
    let mut generator = pin!(generator(async |yielder: Yielder<()>| {
        steps.borrow_mut().push(1);
        yielder.yield_(()).await;
        steps.borrow_mut().push(2);
    }));
    assert_eq!(*steps.borrow(), []);
    assert_eq!(generator.as_mut().resume(()), Step::Yielded(()));
    assert_eq!(*steps.borrow(), [1]);
    assert_eq!(generator.as_mut().resume(()), Step::Returned(()));
    assert_eq!(*steps.borrow(), [1, 2]);
}

#[test]
fn values_sent_in_are_the_results_of_the_yields() {
    let mut echo = pin!(generator(async |yielder: Yielder<String, &str>| {
        let mut heard = yielder.first_input();
        while heard != "stop" {
            heard = yielder.yield_(format!("{heard}!")).await;
        }
        heard.len()
    }));
    assert_eq!(echo.as_mut().resume("one"), Step::Yielded("one!".to_owned()));
    assert_eq!(echo.as_mut().resume("two"), Step::Yielded("two!".to_owned()));
    assert_eq!(echo.as_mut().resume("stop"), Step::Returned(4));
}

#[test]
fn inputs_need_neither_copy_nor_default() {
    struct Parcel(Box<i32>);
    let mut sum = pin!(generator(async |yielder: Yielder<i32, Parcel>| {
        let Parcel(one) = yielder.first_input();
        let Parcel(other) = yielder.yield_(*one).await;
        *one + *other
    }));
    assert_eq!(sum.as_mut().resume(Parcel(Box::new(3))), Step::Yielded(3));
    assert_eq!(sum.as_mut().resume(Parcel(Box::new(4))), Step::Returned(7));
}

#[test]
fn a_yield_waits_for_the_next_input_however_often_it_is_polled() {
    let mut echo = pin!(generator(async |yielder: Yielder<&str, i32>| {
        let mut next = pin!(yielder.yield_("next?"));
        poll_fn(|context| match next.as_mut().poll(context) {
            Poll::Pending => next.as_mut().poll(context),
            ready => ready,
        })
        .await
    }));
    assert_eq!(echo.as_mut().resume(1), Step::Yielded("next?"));
    assert_eq!(echo.as_mut().resume(2), Step::Returned(2));
}

#[test]
#[should_panic(expected = "the first input was already taken")]
fn the_first_input_is_gone_after_a_yield() {
    let mut generator = pin!(generator(async |yielder: Yielder<(), i32>| {
        yielder.yield_(()).await;
        yielder.first_input()
    }));
    let _ = generator.as_mut().resume(1);
    let _ = generator.as_mut().resume(2);
}

#[test]
#[should_panic(expected = "generator resumed after it returned")]
fn resuming_a_finished_generator_panics() {
    let mut generator = pin!(generator(async |_: Yielder<()>| ()));
    assert_eq!(generator.as_mut().resume(()), Step::Returned(()));
    let _ = generator.as_mut().resume(());
}

#[test]
#[should_panic(expected = "a generator may await only its own yielder")]
fn awaiting_a_foreign_future_panics() {
    run(generator(async |_: Yielder<()>| pending::<()>().await));
}

#[test]
#[should_panic(expected = "a generator may await only its own yielder")]
fn awaiting_the_yielder_of_another_generator_panics() {
    run(generator(async |outer: Yielder<i32>| {
        let inner = generator(async move |_: Yielder<i32>| outer.yield_(1).await);
        run(inner);
    }));
}

#[test]
fn a_foreign_future_that_is_ready_may_be_awaited() {
    let ready = generator(async |_: Yielder<()>| std::future::ready(3).await);
    assert_eq!(run(ready), 3);
}

fn count(to: i32) -> impl Coroutine<Yield = i32, Return = i32> {
    generator(async move |yielder| {
        for n in 0..to {
            yielder.yield_(n).await;
        }
        to
    })
}

#[test]
fn yield_from_passes_yields_out_and_gives_what_was_returned() {
    let outer = Box::pin(generator(async |yielder: Yielder<i32>| {
        let first = yielder.yield_from(count(2)).await;
        yielder.yield_(100).await;
        let second = yielder.yield_from(count(3)).await;
        first + second
    }));
    assert_eq!(yielded(outer), (vec![0, 1, 100, 0, 1, 2], 5));
}

#[test]
fn yield_from_delegates_through_any_number_of_generators() {
    fn nested(depth: i32) -> Pin<Box<dyn Coroutine<Yield = i32, Return = i32>>> {
        Box::pin(generator(async move |yielder: Yielder<i32>| {
            yielder.yield_(depth).await;
            if depth == 0 { 0 } else { depth + yielder.yield_from(nested(depth - 1)).await }
        }))
    }
    assert_eq!(yielded(nested(3)), (vec![3, 2, 1, 0], 6));
}

#[test]
fn yield_from_passes_inputs_in_and_starts_with_the_default_one() {
    let heard = RefCell::new(Vec::new());
    let inner = from_fn(|input: i32| {
        heard.borrow_mut().push(input);
        if input == 9 { Step::Returned("inner") } else { Step::Yielded(input * 2) }
    });
    let mut outer = pin!(generator(async |yielder: Yielder<i32, i32>| {
        let result = yielder.yield_from(inner).await;
        (result, yielder.yield_(0).await)
    }));
    assert_eq!(outer.as_mut().resume(5), Step::Yielded(0));
    assert_eq!(outer.as_mut().resume(6), Step::Yielded(12));
    assert_eq!(outer.as_mut().resume(9), Step::Yielded(0));
    assert_eq!(outer.as_mut().resume(7), Step::Returned(("inner", 7)));
    assert_eq!(*heard.borrow(), [0, 6, 9]);
}

#[test]
fn dropping_a_generator_midway_runs_the_destructors_of_its_body() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let (inside, beside) = (log.clone(), log.clone());
    let inner = generator(async move |yielder: Yielder<()>| {
        let _guard = Dropped("inner", inside);
        yielder.yield_(()).await;
        unreachable!("it is never resumed");
    });
    let mut outer = Box::pin(generator(async move |yielder: Yielder<()>| {
        let _guard = Dropped("outer", beside);
        yielder.yield_from(inner).await;
    }));
    assert_eq!(outer.as_mut().resume(()), Step::Yielded(()));
    assert_eq!(*log.borrow(), [""; 0]);
    drop(outer);
    assert_eq!(*log.borrow(), ["inner", "outer"]);
}

#[test]
fn what_lives_in_the_body_is_gone_when_it_has_returned() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let guard = Dropped("captured", log.clone());
    let mut generator = pin!(generator(async move |_: Yielder<()>| drop(guard)));
    assert_eq!(generator.as_mut().resume(()), Step::Returned(()));
    assert_eq!(*log.borrow(), ["captured"]);
}

#[test]
fn a_generator_may_borrow_from_where_it_is_made() {
    let text = String::from("ABC");
    let mut letters = pin!(generator(async |yielder: Yielder<char>| {
        for letter in text.chars() {
            yielder.yield_(letter).await;
        }
    }));
    assert_eq!(letters.as_mut().resume(()), Step::Yielded('A'));
    assert_eq!(text.len(), 3);
}
