//! Coroutines from closures and from futures, and futures from coroutines.

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

use groundup::coroutine::{Coroutine, Step, awaitable, from_fn, from_future};
use groundup::{generator, run};

/// Says when it is dropped.
struct Dropped(Rc<Cell<bool>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

/// A waker that counts.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[test]
fn a_closure_is_resumed_with_inputs_until_it_returns() {
    let mut sum = 0;
    let mut adder = from_fn(move |input: i32| {
        sum += input;
        if sum < 10 { Step::Yielded(sum) } else { Step::Returned("enough") }
    });
    assert_eq!(Pin::new(&mut adder).resume(4), Step::Yielded(4));
    assert_eq!(Pin::new(&mut adder).resume(5), Step::Yielded(9));
    assert_eq!(Pin::new(&mut adder).resume(1), Step::Returned("enough"));
}

#[test]
fn a_closure_is_dropped_when_it_returns() {
    let dropped = Rc::new(Cell::new(false));
    let guard = Dropped(dropped.clone());
    let mut coroutine = from_fn(move |last: bool| {
        let _ = &guard;
        if last { Step::Returned(()) } else { Step::Yielded(()) }
    });
    let _ = Pin::new(&mut coroutine).resume(false);
    assert!(!dropped.get());
    let _ = Pin::new(&mut coroutine).resume(true);
    assert!(dropped.get());
}

#[test]
#[should_panic(expected = "coroutine resumed after it returned")]
fn resuming_a_closure_after_it_returned_panics() {
    let mut coroutine = from_fn(|()| Step::<(), ()>::Returned(()));
    let _ = Pin::new(&mut coroutine).resume(());
    let _ = Pin::new(&mut coroutine).resume(());
}

#[test]
fn each_resume_polls_a_future_once() {
    let mut polls = 0;
    let mut coroutine = pin!(from_future(poll_fn(|_| {
        polls += 1;
        if polls < 3 { Poll::Pending } else { Poll::Ready(polls) }
    })));
    assert_eq!(coroutine.as_mut().resume(()), Step::Yielded(()));
    assert_eq!(coroutine.as_mut().resume(()), Step::Yielded(()));
    assert_eq!(coroutine.as_mut().resume(()), Step::Returned(3));
}

#[test]
fn a_future_is_polled_with_the_context_it_is_resumed_with() {
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(bell.clone());
    let mut coroutine = pin!(from_future(poll_fn(|context| {
        context.waker().wake_by_ref();
        Poll::<()>::Pending
    })));
    assert_eq!(coroutine.as_mut().resume(&mut Context::from_waker(&waker)), Step::Yielded(()));
    assert_eq!(bell.0.load(Relaxed), 1);
}

#[test]
fn a_future_is_dropped_when_it_is_ready() {
    let dropped = Rc::new(Cell::new(false));
    let guard = Dropped(dropped.clone());
    let mut coroutine = pin!(from_future(poll_fn(move |_| {
        let _ = &guard;
        Poll::Ready(())
    })));
    assert_eq!(coroutine.as_mut().resume(()), Step::Returned(()));
    assert!(dropped.get());
}

#[test]
#[should_panic(expected = "coroutine resumed after it returned")]
fn resuming_a_future_after_it_returned_panics() {
    let mut coroutine = pin!(from_future(async {}));
    let _ = coroutine.as_mut().resume(());
    let _ = coroutine.as_mut().resume(());
}

#[test]
fn boxes_and_references_of_coroutines_are_coroutines() {
    let mut by_box: Pin<Box<dyn Coroutine<Yield = (), Return = i32>>> =
        Box::pin(from_future(async { 4 }));
    assert_eq!(run(&mut by_box), 4);
    let mut by_reference = from_fn(|()| Step::<(), i32>::Returned(5));
    assert_eq!(run(&mut by_reference), 5);
}

#[test]
fn an_awaited_coroutine_gives_way_once_for_each_yield() {
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(bell.clone());
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(awaitable(generator(async |yielder| {
        yielder.yield_(()).await;
        yielder.yield_(()).await;
        "done"
    })));
    assert_eq!(future.as_mut().poll(&mut context), Poll::Pending);
    assert_eq!(future.as_mut().poll(&mut context), Poll::Pending);
    assert_eq!(bell.0.load(Relaxed), 2);
    assert_eq!(future.as_mut().poll(&mut context), Poll::Ready("done"));
    assert_eq!(bell.0.load(Relaxed), 2);
}

#[test]
fn dropping_a_coroutine_drops_the_future_in_it() {
    let dropped = Rc::new(Cell::new(false));
    let guard = Dropped(dropped.clone());
    let mut coroutine = Box::pin(from_future(async move {
        let _guard = guard;
        pending::<()>().await;
    }));
    assert_eq!(coroutine.as_mut().resume(()), Step::Yielded(()));
    assert!(!dropped.get());
    drop(coroutine);
    assert!(dropped.get());
}
