//! Two `async` functions take turns, as the generators did: each gives way where it awaits.

use groundup::coroutine::{awaitable, from_future};
use groundup::{Coroutine, generator, run_all};

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

async fn print_sum_of_squares(x: i32, y: i32) {
    println!("{}", sum_of_squares(x, y).await);
}

fn main() {
    let coroutines = [print_sum_of_squares(3, 4), print_sum_of_squares(30, 40)];
    run_all(coroutines.map(from_future).map(Box::pin));
}
