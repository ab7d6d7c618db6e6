//! One after the other: to await is to wait, so the second begins when the first has ended.

use groundup::coroutine::{awaitable, from_future};
use groundup::{Coroutine, generator, run};

fn display(values: &str) -> impl Coroutine<Yield = (), Return = ()> {
    generator(async move |yielder| {
        for value in values.chars() {
            println!("{value}");
            yielder.yield_(()).await;
        }
    })
}

async fn display_both(first: &str, second: &str) {
    awaitable(display(first)).await;
    awaitable(display(second)).await;
}

fn main() {
    run(from_future(display_both("ABC", "123")));
}
