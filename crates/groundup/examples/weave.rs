//! A program that records itself, and tells what its tasks did.
//!
//! With an argument, that is where the recording stays, for `groundup view`.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use groundup::recorder::recording::Recording;
use groundup::weave::{LaneKind, Weave, build, slowest_waits, totals};
use groundup::{block_on, record, sleep, spawn, yield_now};

async fn toast() {
    sleep(Duration::from_millis(10)).await;
}

async fn tea() {
    sleep(Duration::from_millis(60)).await;
    yield_now().await;
}

async fn breakfast() {
    let toast = spawn(toast()).named("toast");
    let tea = spawn(tea()).named("tea");
    toast.await;
    tea.await;
}

/// What a task is called.
fn name(weave: &Weave, recording: &Recording, lane: usize) -> String {
    let lane = &weave.lanes[lane];
    match recording.name(lane.name) {
        "" => format!("Task-{}", lane.number),
        name => name.to_owned(),
    }
}

fn print(recording: &Recording) {
    let weave = build(recording);
    let totals = totals(&weave);
    for lane in (0..totals.len()).filter(|&lane| weave.lanes[lane].kind == LaneKind::Task) {
        let waits = weave.waits.iter().filter(|wait| wait.lane == lane);
        let waits: Vec<_> = waits.map(|wait| recording.name(wait.what)).collect();
        let waits = if waits.is_empty() { "nothing".into() } else { waits.join(", then ") };
        let name = name(&weave, recording, lane);
        println!("{name}: {} steps, waited for {waits}", totals[lane].steps);
    }
    for wait in slowest_waits(&weave, 1) {
        println!("the longest wait: {}", name(&weave, recording, weave.waits[wait].lane));
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let kept = std::env::args_os().nth(1).map(PathBuf::from);
    let passing = format!("groundup-example-{}.weave", std::process::id());
    let path = kept.clone().unwrap_or_else(|| std::env::temp_dir().join(passing));
    let tape = record(&path)?;
    block_on(breakfast());
    tape.finish()?;
    let recording = Recording::read(&std::fs::read(&path)?)?;
    if kept.is_none() {
        std::fs::remove_file(path)?;
    }
    print(&recording);
    Ok(())
}
