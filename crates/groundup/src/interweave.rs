//! Running coroutines: one alone, or many by turns.
//!
//! [`Interweave`] takes the coroutine at the head of a [`ReadyQueue`], resumes it, and puts it back
//! at the end if it has more. The [event loop](crate::event_loop) is this loop grown up: it also
//! knows how to wait. This file must not know time, descriptors or threads.

use std::pin::{Pin, pin};

use crate::coroutine::{Coroutine, Step};
use crate::ready::ReadyQueue;

/// Resumes a coroutine until it returns, passing over what it yields.
///
/// # Examples
///
/// ```
/// use groundup::{generator::generator, interweave::run};
///
/// let square = |x: i32| generator(async move |yielder| {
///     yielder.yield_(()).await;
///     x * x
/// });
/// assert_eq!(run(square(3)), 9);
/// ```
pub fn run<C: Coroutine>(coroutine: C) -> C::Return {
    let mut coroutine = pin!(coroutine);
    loop {
        if let Step::Returned(result) = coroutine.as_mut().resume(()) {
            return result;
        }
    }
}

/// Takes turns among coroutines: round robin, first in, first out, each until it returns.
///
/// # Examples
///
/// ```
/// use groundup::{coroutine::Step, generator::generator, interweave::interweave};
///
/// let count = |from: i32, to: i32| Box::pin(generator(async move |yielder| {
///     for n in from..to {
///         yielder.yield_(n).await;
///     }
/// }));
/// let yielded: Vec<_> = interweave([count(0, 3), count(10, 11)])
///     .filter_map(|turn| match turn.step {
///         Step::Yielded(n) => Some((turn.index, n)),
///         Step::Returned(()) => None,
///     })
///     .collect();
/// assert_eq!(yielded, [(0, 0), (1, 10), (0, 1), (0, 2)]);
/// ```
pub fn interweave<C>(coroutines: impl IntoIterator<Item = C>) -> Interweave<C> {
    Interweave { ready: coroutines.into_iter().enumerate().collect() }
}

/// Interweaves coroutines to their ends and gives what each returned, in the order they came in.
pub fn run_all<C: Coroutine + Unpin>(coroutines: impl IntoIterator<Item = C>) -> Vec<C::Return> {
    let mut weave = interweave(coroutines);
    let mut results: Vec<Option<C::Return>> = Vec::new();
    results.resize_with(weave.len(), || None);
    while let Some(turn) = weave.turn(()) {
        if let Step::Returned(result) = turn.step {
            results[turn.index] = Some(result);
        }
    }
    results.into_iter().flatten().collect()
}

/// One turn of one coroutine of an [`Interweave`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn<Y, R> {
    /// Whose turn it was: its position among the coroutines that were given.
    pub index: usize,
    /// What came of it.
    pub step: Step<Y, R>,
}

/// The coroutines that [`interweave`] takes turns among; an iterator over their turns.
///
/// Dropping it drops the coroutines that have not returned.
#[derive(Debug)]
pub struct Interweave<C> {
    ready: ReadyQueue<(usize, C)>,
}

impl<C> Interweave<C> {
    /// Gives the next coroutine its turn, with an input; `None` when all have returned.
    pub fn turn<I>(&mut self, input: I) -> Option<Turn<C::Yield, C::Return>>
    where
        C: Coroutine<I> + Unpin,
    {
        let (index, mut coroutine) = self.ready.pop()?;
        let step = Pin::new(&mut coroutine).resume(input);
        if matches!(step, Step::Yielded(_)) {
            self.ready.push((index, coroutine));
        }
        Some(Turn { index, step })
    }

    /// How many coroutines have not returned yet.
    pub fn len(&self) -> usize {
        self.ready.len()
    }

    /// Whether all coroutines have returned.
    pub fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    /// Takes out a coroutine that has not returned, the next in turn first, without resuming it.
    pub fn pop(&mut self) -> Option<C> {
        self.ready.pop().map(|(_, coroutine)| coroutine)
    }

    /// The coroutines that have not returned, the next in turn first.
    pub fn iter(&self) -> impl Iterator<Item = &C> {
        self.ready.iter().map(|(_, coroutine)| coroutine)
    }
}

impl<C: Coroutine + Unpin> Iterator for Interweave<C> {
    type Item = Turn<C::Yield, C::Return>;

    fn next(&mut self) -> Option<Self::Item> {
        self.turn(())
    }
}
