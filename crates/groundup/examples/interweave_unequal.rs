//! Two generators of unequal length take turns: when one has returned, the other goes on alone.

use groundup::{Coroutine, generator, run_all};

fn squares(numbers: Vec<i32>) -> impl Coroutine<Yield = i32, Return = ()> {
    generator(async move |yielder| {
        for n in numbers {
            println!("Computing square of {n}");
            yielder.yield_(n * n).await;
        }
    })
}

fn main() {
    run_all([squares(vec![1, 2, 3, 4, 5, 6]), squares(vec![10, 20, 30, 40])].map(Box::pin));
}
