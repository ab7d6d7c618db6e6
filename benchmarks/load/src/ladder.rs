//! What a step costs: of generators taking turns by `groundup::interweave`, and of the same by hand.

use std::collections::VecDeque;
use std::hint::black_box;
use std::io;
use std::time::Instant;

use clap::Args;
use groundup::{Coroutine, Step, generator, interweave};
use serde_json::json;

/// How to climb the ladder.
#[derive(Args, Debug)]
pub struct Ladder {
    /// Generators that take turns
    #[arg(long, default_value_t = 100)]
    generators: usize,
    /// Steps of each
    #[arg(long, default_value_t = 10_000)]
    steps: usize,
    /// Take turns by hand
    #[arg(long)]
    by_hand: bool,
}

impl Ladder {
    /// Reports the nanoseconds of a step.
    pub fn run(self) -> io::Result<()> {
        let generators: Vec<_> =
            (0..self.generators).map(|_| Box::pin(counting(self.steps))).collect();
        let began = Instant::now();
        let count = if self.by_hand { by_hand(generators) } else { woven(generators) };
        let nanoseconds = began.elapsed().as_secs_f64() * 1e9;
        assert_eq!(count, self.generators * self.steps);
        crate::report::say(&json!({ "time": nanoseconds / count as f64 }))
    }
}

fn counting(steps: usize) -> impl Coroutine<Yield = usize, Return = ()> {
    generator(async move |yielder| {
        for step in 0..steps {
            yielder.yield_(step).await;
        }
    })
}

/// Runs them by `interweave`; how many values they gave.
fn woven<C: Coroutine<Yield = usize, Return = ()> + Unpin>(generators: Vec<C>) -> usize {
    let given = interweave(generators).filter(|turn| matches!(turn.step, Step::Yielded(_)));
    given.map(black_box).count()
}

/// Runs them by a queue and nothing else; how many values they gave.
fn by_hand<C: Coroutine<Yield = usize, Return = ()> + Unpin>(generators: Vec<C>) -> usize {
    let (mut queue, mut count) = (VecDeque::from(generators), 0);
    while let Some(mut generator) = queue.pop_front() {
        if let Step::Yielded(value) = std::pin::Pin::new(&mut generator).resume(()) {
            black_box(value);
            count += 1;
            queue.push_back(generator);
        }
    }
    count
}
