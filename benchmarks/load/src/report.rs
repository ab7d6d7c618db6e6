//! The conversation with the program that started this one: a line of JSON out, a line in.

use std::io::{self, BufRead, Write};

use serde::Serialize;

/// Says something, in one line.
pub fn say(what: &impl Serialize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, what)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Waits for the next line; the end of the input is an empty one.
pub fn hear() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// What a load measured, of one run.
#[derive(Debug, Serialize)]
pub struct Measured {
    /// Requests that were answered.
    pub requests: u64,
    /// How long it took until the last of them was, in seconds.
    pub seconds: f64,
    /// Half of the replies came within this, in microseconds.
    pub p50: f64,
    /// 99 in 100 of the replies came within this, in microseconds.
    pub p99: f64,
    /// The part of the time for which this program occupied its core, from 0 to 1.
    pub busy: f64,
}
