//! By turns: the same `display`, not awaited by one function but resumed side by side.

use groundup::{Coroutine, generator, run_all};

fn display(values: &str) -> impl Coroutine<Yield = (), Return = ()> {
    generator(async move |yielder| {
        for value in values.chars() {
            println!("{value}");
            yielder.yield_(()).await;
        }
    })
}

fn main() {
    run_all([display("ABC"), display("123")].map(Box::pin));
}
