//! What it costs to record a runtime: each program runs with and without a recording, in turns.
//!
//! `cargo bench --bench recorder` prints, for each, the nanoseconds that one of its rounds takes
//! without and with, the least of all runs, and what one event costs: the difference by the records
//! that a round makes.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use groundup::recorder::recording::Recording;
use groundup::runtime::{Async, Tape};
use groundup::{block_on, sleep, spawn, yield_now};

const RUNS: usize = 40;
/// Less than what any run writes, so that the memory has been used when it is timed.
const CAPACITY: usize = 4 << 20;

async fn give_way(times: u32) {
    for _ in 0..times {
        yield_now().await;
    }
}

/// Two tasks give way to each other.
async fn steps(rounds: u32) {
    let (one, other) = (spawn(give_way(rounds / 2)), spawn(give_way(rounds / 2)));
    one.await;
    other.await;
}

/// Tasks are spawned and joined.
async fn spawns(rounds: u32) {
    for number in 0..rounds {
        assert_eq!(spawn(async move { number }).await, number);
    }
}

/// Timers are set and expire.
async fn timers(rounds: u32) {
    for _ in 0..rounds {
        sleep(Duration::ZERO).await;
    }
}

/// Few bytes go to and fro.
async fn echo(rounds: u32) {
    let (here, there) = UnixStream::pair().unwrap();
    let (here, there) = (Async::new(here).unwrap(), Async::new(there).unwrap());
    let server = spawn(async move {
        let mut buffer = [0; 64];
        loop {
            match there.read(&mut buffer).await.unwrap() {
                0 => return,
                length => there.write_all(&buffer[..length]).await.unwrap(),
            }
        }
    });
    let mut buffer = [0; 64];
    for _ in 0..rounds {
        here.write_all(b"hello").await.unwrap();
        here.read(&mut buffer).await.unwrap();
    }
    drop(here);
    server.await;
}

/// The nanoseconds that a round of a program takes.
fn time<F: Future>(program: fn(u32) -> F, rounds: u32) -> f64 {
    let start = Instant::now();
    block_on(program(rounds));
    start.elapsed().as_nanos() as f64 / f64::from(rounds)
}

/// How many records a round of a program makes.
fn events<F: Future>(program: fn(u32) -> F, rounds: u32, path: &Path) -> io::Result<f64> {
    let tape = Tape::with_capacity(path, CAPACITY)?;
    block_on(program(rounds));
    tape.finish()?;
    let recording = Recording::read(&std::fs::read(path)?).expect("a recording");
    let last = recording.records.last().map_or(0, |record| record.number + 1);
    Ok(last as f64 / f64::from(rounds))
}

fn compare<F: Future>(name: &str, program: fn(u32) -> F, rounds: u32) -> io::Result<()> {
    let path = std::env::temp_dir().join(format!("groundup-bench-{}.weave", std::process::id()));
    let (mut without, mut with) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..RUNS {
        without = without.min(time(program, rounds));
        let tape = Tape::with_capacity("/dev/null", CAPACITY)?;
        time(program, rounds);
        with = with.min(time(program, rounds));
        tape.finish()?;
    }
    let events = events(program, rounds, &path)?;
    std::fs::remove_file(&path)?;
    let each = (with - without) / events;
    println!(
        "{name:<8} {without:8.1} ns without, {with:8.1} ns with; {events:4.1} events, {each:5.1} ns each"
    );
    Ok(())
}

fn main() -> io::Result<()> {
    compare("steps", steps, 60_000)?;
    compare("spawns", spawns, 10_000)?;
    compare("timers", timers, 10_000)?;
    compare("echo", echo, 6_000)
}
