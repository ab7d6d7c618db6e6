//! What the benchmarks need beside the loops: a load that is quicker than any server under it, and the same
//! servers and loops written by hand, without a framework, for a limit to compare with.
//!
//! It speaks with the program that starts it in lines: JSON on standard output, a word on standard input.

mod by_hand;
mod certificate;
mod client;
mod crowd;
mod kernel;
mod ladder;
mod report;
mod stream;
mod target;
mod websocket;

use std::process::ExitCode;

use clap::Parser;

/// The benchmarks' load, and the limits that loops are compared with.
#[derive(Debug, Parser)]
enum Command {
    /// Put a load on a server: each connection sends a request, waits for the reply, and begins again.
    Talk(crowd::Talk),
    /// Serve without any framework, one epoll loop on one thread.
    Serve(by_hand::Serve),
    /// Time a step of `groundup::interweave` and one of a loop by hand, in nanoseconds.
    Ladder(ladder::Ladder),
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Talk(talk) => talk.run(),
        Command::Serve(serve) => serve.run(),
        Command::Ladder(ladder) => ladder.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("groundup-load: {error}");
            ExitCode::FAILURE
        }
    }
}
