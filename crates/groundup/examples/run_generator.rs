//! A generator run to its end gives one value: seen from outside, it is a function that can wait.

use groundup::{Coroutine, generator, run};

fn square(x: i32) -> impl Coroutine<Yield = (), Return = i32> {
    generator(async move |yielder| {
        yielder.yield_(()).await;
        println!("square {x}");
        x * x
    })
}

fn main() {
    println!("{}", run(square(3)));
}
