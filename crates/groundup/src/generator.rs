//! Generators on stable Rust: an `async` block is the body, an exchange beside it carries the values.
//!
//! The compiler already turns an `async` block into something that can stop and go on; a generator
//! only has to give its `await` points something to say. Creating one allocates the exchange once;
//! steps allocate nothing. This file must not know wakers, tasks or the event loop.

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use crate::coroutine::{Coroutine, Step};

/// A generator whose body is the `async` block that `body` makes of its [`Yielder`].
///
/// Nothing runs before the first resume. Dropping the generator midway drops the body, and so runs
/// the destructors of what lives in it.
///
/// # Examples
///
/// ```
/// use groundup::coroutine::{Coroutine, Step};
/// use groundup::generator::generator;
/// use std::pin::pin;
///
/// let mut running_sum = pin!(generator(async |yielder| {
///     let mut sum: i32 = yielder.first_input();
///     while sum < 10 {
///         sum += yielder.yield_(sum).await;
///     }
///     "enough"
/// }));
/// assert_eq!(running_sum.as_mut().resume(3), Step::Yielded(3));
/// assert_eq!(running_sum.as_mut().resume(4), Step::Yielded(7));
/// assert_eq!(running_sum.as_mut().resume(5), Step::Returned("enough"));
/// ```
pub fn generator<Y, I, F: Future>(body: impl FnOnce(Yielder<Y, I>) -> F) -> Generator<Y, I, F> {
    let exchange = Rc::new(Exchange { sent: Cell::new(None), yielded: Cell::new(None) });
    let body = body(Yielder { exchange: exchange.clone() });
    Generator { exchange, body: Some(body) }
}

/// Where a generator and whoever resumes it leave values for one another.
struct Exchange<Y, I> {
    sent: Cell<Option<I>>,
    yielded: Cell<Option<Y>>,
}

pin_project! {
    /// The coroutine made by [`generator`].
    pub struct Generator<Y, I, F> {
        exchange: Rc<Exchange<Y, I>>,
        #[pin]
        body: Option<F>,
    }
}

impl<Y, I, F: Future> Coroutine<I> for Generator<Y, I, F> {
    type Yield = Y;
    type Return = F::Output;

    /// # Panics
    ///
    /// When it has already returned, and when its body awaits anything but its own [`Yielder`].
    fn resume(self: Pin<&mut Self>, input: I) -> Step<Y, F::Output> {
        let mut this = self.project();
        let body = this.body.as_mut().as_pin_mut().expect("generator resumed after it returned");
        this.exchange.sent.set(Some(input));
        match body.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => {
                this.body.set(None);
                Step::Returned(output)
            }
            Poll::Pending => Step::Yielded(
                this.exchange.yielded.take().expect("a generator may await only its own yielder"),
            ),
        }
    }
}

/// The body's end of a generator: what it yields and delegates through.
pub struct Yielder<Y, I = ()> {
    exchange: Rc<Exchange<Y, I>>,
}

impl<Y, I> Yielder<Y, I> {
    /// The input of the first resume, which no yield was waiting for.
    ///
    /// # Panics
    ///
    /// After the first yield, and when called a second time.
    pub fn first_input(&self) -> I {
        self.exchange.sent.take().expect("the first input was already taken")
    }

    /// Stops the generator with `value`; the input of the next resume is the result.
    pub fn yield_(&self, value: Y) -> Yield<'_, Y, I> {
        self.exchange.sent.set(None);
        Yield { exchange: &self.exchange, value: Some(value) }
    }

    /// Delegates to another coroutine: its yields go out through this generator, inputs sent in go
    /// to it, and its return value is the result. It starts with the default input, as Python's
    /// `yield from` starts with `None`.
    pub async fn yield_from<C>(&self, coroutine: C) -> C::Return
    where
        I: Default,
        C: Coroutine<I, Yield = Y>,
    {
        let mut coroutine = pin!(coroutine);
        let mut input = I::default();
        loop {
            match coroutine.as_mut().resume(input) {
                Step::Yielded(value) => input = self.yield_(value).await,
                Step::Returned(result) => return result,
            }
        }
    }
}

/// The future of [`Yielder::yield_`].
#[must_use = "a yield stops the generator only when it is awaited"]
pub struct Yield<'a, Y, I> {
    exchange: &'a Exchange<Y, I>,
    value: Option<Y>,
}

// The value is only ever moved, never pinned.
impl<Y, I> Unpin for Yield<'_, Y, I> {}

impl<Y, I> Future for Yield<'_, Y, I> {
    type Output = I;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<I> {
        if let Some(value) = self.value.take() {
            self.exchange.yielded.set(Some(value));
            return Poll::Pending;
        }
        self.exchange.sent.take().map_or(Poll::Pending, Poll::Ready)
    }
}
