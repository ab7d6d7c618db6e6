//! The one idea everything else stands on: a coroutine can be resumed until it returns.
//!
//! A generator, a future, a Python generator and a Python coroutine are four implementations of
//! [`Coroutine`]. This file must not know any of them beyond the adapters at its end.

use std::future::Future;
use std::ops::DerefMut;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

/// What one resume of a coroutine led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<Y, R> {
    /// It stopped at a yield and can be resumed again.
    Yielded(Y),
    /// It finished and must not be resumed again.
    Returned(R),
}

/// Something that can be resumed with an input and then either yields or returns.
///
/// # Panics
///
/// Resuming a coroutine that has returned is a programmer's error; implementations panic and say so.
///
/// # Examples
///
/// ```
/// use groundup::coroutine::{Coroutine, Step, from_fn};
/// use std::pin::Pin;
///
/// let mut left = 2;
/// let mut countdown = from_fn(move |()| {
///     if left == 0 {
///         return Step::Returned("lift-off");
///     }
///     left -= 1;
///     Step::Yielded(left + 1)
/// });
/// assert_eq!(Pin::new(&mut countdown).resume(()), Step::Yielded(2));
/// assert_eq!(Pin::new(&mut countdown).resume(()), Step::Yielded(1));
/// assert_eq!(Pin::new(&mut countdown).resume(()), Step::Returned("lift-off"));
/// ```
pub trait Coroutine<Input = ()> {
    /// What it hands out each time it stops.
    type Yield;
    /// What it hands out when it finishes.
    type Return;

    /// Runs it from where it stopped to its next yield or its return.
    fn resume(self: Pin<&mut Self>, input: Input) -> Step<Self::Yield, Self::Return>;
}

impl<I, P> Coroutine<I> for Pin<P>
where
    P: DerefMut,
    P::Target: Coroutine<I>,
{
    type Yield = <P::Target as Coroutine<I>>::Yield;
    type Return = <P::Target as Coroutine<I>>::Return;

    fn resume(self: Pin<&mut Self>, input: I) -> Step<Self::Yield, Self::Return> {
        self.as_deref_mut().resume(input)
    }
}

impl<I, C: Coroutine<I> + Unpin + ?Sized> Coroutine<I> for &mut C {
    type Yield = C::Yield;
    type Return = C::Return;

    fn resume(mut self: Pin<&mut Self>, input: I) -> Step<C::Yield, C::Return> {
        Pin::new(&mut **self).resume(input)
    }
}

/// A coroutine from a closure that computes each step.
///
/// The closure is dropped as soon as it answers [`Step::Returned`].
pub fn from_fn<I, Y, R, F>(step: F) -> FromFn<F>
where
    F: FnMut(I) -> Step<Y, R> + Unpin,
{
    FromFn { step: Some(step) }
}

/// The coroutine made by [`from_fn`].
#[derive(Debug)]
pub struct FromFn<F> {
    step: Option<F>,
}

impl<I, Y, R, F> Coroutine<I> for FromFn<F>
where
    F: FnMut(I) -> Step<Y, R> + Unpin,
{
    type Yield = Y;
    type Return = R;

    fn resume(mut self: Pin<&mut Self>, input: I) -> Step<Y, R> {
        let step = self.step.as_mut().expect("coroutine resumed after it returned");
        let outcome = step(input);
        if matches!(outcome, Step::Returned(_)) {
            self.step = None;
        }
        outcome
    }
}

/// A coroutine from a future: each resume polls it once.
///
/// Resumed with a [`Context`], it passes that on, which is what an event loop does. Resumed with `()`,
/// it polls without a waker: enough for futures that only take turns, as in the first chapters of
/// the ladder.
///
/// # Examples
///
/// ```
/// use groundup::{coroutine::from_future, interweave::run};
///
/// assert_eq!(run(from_future(async { 3 * 3 })), 9);
/// ```
pub fn from_future<F: Future>(future: F) -> FromFuture<F> {
    FromFuture { future: Some(future) }
}

pin_project! {
    /// The coroutine made by [`from_future`].
    #[derive(Debug)]
    pub struct FromFuture<F> {
        #[pin]
        future: Option<F>,
    }
}

impl<F: Future> Coroutine<&mut Context<'_>> for FromFuture<F> {
    type Yield = ();
    type Return = F::Output;

    fn resume(self: Pin<&mut Self>, context: &mut Context<'_>) -> Step<(), F::Output> {
        let mut slot = self.project().future;
        let future = slot.as_mut().as_pin_mut().expect("coroutine resumed after it returned");
        match future.poll(context) {
            Poll::Pending => Step::Yielded(()),
            Poll::Ready(output) => {
                slot.set(None);
                Step::Returned(output)
            }
        }
    }
}

impl<F: Future> Coroutine for FromFuture<F> {
    type Yield = ();
    type Return = F::Output;

    fn resume(self: Pin<&mut Self>, _: ()) -> Step<(), F::Output> {
        Coroutine::resume(self, &mut Context::from_waker(Waker::noop()))
    }
}

/// A future from a coroutine, so that an `async` block can await it: each poll resumes it once.
///
/// A yield gives way for one turn, as a bare `yield` does in a generator-based coroutine of Python.
///
/// # Examples
///
/// ```
/// use groundup::coroutine::awaitable;
/// use groundup::{block_on, generator};
///
/// let square = |x: i32| {
///     generator(async move |yielder| {
///         yielder.yield_(()).await;
///         x * x
///     })
/// };
/// assert_eq!(block_on(async { awaitable(square(3)).await + awaitable(square(4)).await }), 25);
/// ```
pub fn awaitable<C: Coroutine<Yield = ()>>(coroutine: C) -> Awaitable<C> {
    Awaitable { coroutine }
}

pin_project! {
    /// The future made by [`awaitable`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct Awaitable<C> {
        #[pin]
        coroutine: C,
    }
}

impl<C: Coroutine<Yield = ()>> Future for Awaitable<C> {
    type Output = C::Return;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<C::Return> {
        match self.project().coroutine.resume(()) {
            Step::Yielded(()) => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Step::Returned(result) => Poll::Ready(result),
        }
    }
}
