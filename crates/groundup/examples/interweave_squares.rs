//! Two generators of equal length take turns.
//!
//! Nothing runs at once: each generator computes one square, hands it out, and waits until it is
//! resumed. `run_all` is the loop that resumes them in turn.

use groundup::{Coroutine, generator, run_all};

fn squares<const N: usize>(numbers: [i32; N]) -> impl Coroutine<Yield = i32, Return = ()> {
    generator(async move |yielder| {
        for n in numbers {
            println!("Computing square of {n}");
            yielder.yield_(n * n).await;
        }
    })
}

fn main() {
    run_all([squares([1, 2, 3, 4]), squares([10, 20, 30, 40])].map(Box::pin));
}
