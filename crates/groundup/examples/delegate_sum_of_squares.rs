//! A generator delegates to another with `yield_from`: the other's yields go out through it, and
//! what the other returns is the result.
//!
//! Whoever takes turns sees two coroutines only; that there are two generators in each is no
//! concern of theirs.

use groundup::{Coroutine, generator, run_all};

fn square(x: i32) -> impl Coroutine<Yield = (), Return = i32> {
    generator(async move |yielder| {
        yielder.yield_(()).await;
        println!("Computing square of {x}");
        x * x
    })
}

fn sum_of_squares(numbers: [i32; 5]) -> impl Coroutine<Yield = (), Return = i32> {
    generator(async move |yielder| {
        let mut sum = 0;
        for n in numbers {
            sum += yielder.yield_from(square(n)).await;
        }
        yielder.yield_(()).await;
        println!("sum_of_squares {numbers:?} {sum}");
        sum
    })
}

fn main() {
    run_all([sum_of_squares([1, 2, 3, 4, 5]), sum_of_squares([10, 20, 30, 40, 50])].map(Box::pin));
}
