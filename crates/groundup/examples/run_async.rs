//! An `async` function awaits two generators: the new words and the old idea are one.
//!
//! `awaitable` makes a future of a coroutine, `from_future` a coroutine of a future.

use groundup::coroutine::{awaitable, from_future};
use groundup::{Coroutine, generator, run};

fn square(x: i32) -> impl Coroutine<Yield = (), Return = i32> {
    generator(async move |yielder| {
        yielder.yield_(()).await;
        println!("square {x}");
        x * x
    })
}

async fn sum_of_squares(x: i32, y: i32) -> i32 {
    awaitable(square(x)).await + awaitable(square(y)).await
}

fn main() {
    println!("{}", run(from_future(sum_of_squares(3, 4))));
}
