//! A weave as columns of numbers, for what draws it: a page in a browser, or a program in Python.
//!
//! Times are nanoseconds since the weave began, NaN where there is none. Names are numbers of
//! [`Columns::strings`], the first of which is empty.

mod chains;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use self::chains::Chains;
use super::parts::{Cause, LaneKind, Weave};
use crate::clock::Timestamp;
use crate::recorder::Name;
use crate::recorder::recording::Recording;

/// What the numbers of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes.
    U8,
    /// Numbers from 0 to 2³²−1.
    U32,
    /// Numbers from −2³¹ to 2³¹−1.
    I32,
    /// Numbers with a fraction.
    F64,
}

impl Kind {
    /// The kind's name in a document.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::U32 => "u32",
            Self::I32 => "i32",
            Self::F64 => "f64",
        }
    }
}

/// A column: numbers of one kind, little-endian.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// What they say, as in `steps.began`.
    pub name: &'static str,
    /// What they are.
    pub kind: Kind,
    /// How many there are.
    pub length: usize,
    /// Their bytes.
    pub bytes: Vec<u8>,
}

/// A weave as columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    /// The texts that columns refer to.
    pub strings: Vec<String>,
    /// The columns.
    pub columns: Vec<Column>,
    began: Timestamp,
    /// The numbers of strings, by the names that a recording has for them and by themselves.
    numbers: HashMap<Name, u32>,
    known: HashMap<String, u32>,
}

impl Columns {
    /// The columns of a weave that was built of this recording.
    #[must_use]
    pub fn of(weave: &Weave, recording: &Recording) -> Self {
        let mut columns =
            Self { strings: vec![String::new()], began: weave.began, ..Self::default() };
        columns.known.insert(String::new(), 0);
        columns.add_lanes(weave, recording);
        columns.add_steps(weave);
        let chains = Chains::of(recording);
        columns.add_waits(weave, recording, &chains);
        columns.names("chains.name", recording, &chains.links, |link| link.0);
        columns.numbers("chains.rest", &chains.links, |link| link.1);
        columns.add_polls(weave);
        columns.add_sockets(weave, recording);
        columns.add_rest(weave, recording);
        columns.add_findings(weave, recording);
        columns
    }

    fn add_lanes(&mut self, weave: &Weave, recording: &Recording) {
        let lanes = &weave.lanes;
        let outcome = |lane: &super::Lane| lane.outcome;
        self.bytes("lanes.kind", lanes, |lane| match lane.kind {
            LaneKind::Task => 0,
            LaneKind::Callback => 1,
            LaneKind::Descriptor => 2,
        });
        self.add_lane_names(weave, recording);
        self.names("lanes.coroutine", recording, lanes, |lane| lane.coroutine);
        self.names("lanes.file", recording, lanes, |lane| lane.place.0);
        self.numbers("lanes.line", lanes, |lane| lane.place.1);
        let parents = lanes.iter().map(|lane| lane.parent.map_or(-1, |it| it as i32).to_le_bytes());
        self.push("lanes.parent", Kind::I32, lanes.len(), parents);
        self.times("lanes.began", lanes, |lane| Some(lane.began));
        self.times("lanes.ended", lanes, |lane| outcome(lane).map(|it| it.time));
        self.names("lanes.how", recording, lanes, |lane| outcome(lane).map_or(0, |it| it.how));
        self.names("lanes.exception", recording, lanes, |lane| {
            outcome(lane).map_or(0, |it| it.exception)
        });
    }

    /// A task that has no other name is called by its number.
    fn add_lane_names(&mut self, weave: &Weave, recording: &Recording) {
        let names = weave.lanes.iter().map(|lane| match (lane.name, lane.number) {
            (0, 1..) => self.add_string(format!("Task-{}", lane.number)),
            (name, _) => self.string(recording, name),
        });
        let names: Vec<_> = names.map(u32::to_le_bytes).collect();
        self.push("lanes.name", Kind::U32, names.len(), names);
    }

    fn add_steps(&mut self, weave: &Weave) {
        let steps = &weave.steps;
        self.numbers("steps.lane", steps, |step| step.lane as u32);
        self.times("steps.began", steps, |step| Some(step.began));
        let took = steps.iter().map(|step| (step.took().as_nanos() as f64).to_le_bytes());
        self.push("steps.took", Kind::F64, steps.len(), took);
        self.times("steps.woken", steps, |step| step.woken);
        self.bytes("steps.causeKind", steps, |step| match step.cause {
            Cause::Unknown => 0,
            Cause::Step(_) => 1,
            Cause::Timer => 2,
            Cause::Thread => 3,
            Cause::Signal(_) => 4,
            Cause::Poll => 5,
        });
        self.numbers("steps.cause", steps, |step| match step.cause {
            Cause::Step(step) => step as u32,
            Cause::Signal(number) => number,
            _ => 0,
        });
    }

    fn add_waits(&mut self, weave: &Weave, recording: &Recording, chains: &Chains) {
        let waits = &weave.waits;
        self.numbers("waits.lane", waits, |wait| wait.lane as u32);
        self.times("waits.began", waits, |wait| Some(wait.began));
        self.times("waits.ended", waits, |wait| Some(wait.ended));
        self.bytes("waits.over", waits, |wait| u8::from(wait.is_over));
        self.names("waits.what", recording, waits, |wait| wait.what);
        self.numbers("waits.chain", waits, |wait| chains.number(wait.chain));
    }

    fn add_polls(&mut self, weave: &Weave) {
        let polls = &weave.polls;
        self.times("polls.began", polls, |poll| Some(poll.began));
        self.times("polls.ended", polls, |poll| Some(poll.ended));
        self.numbers("polls.events", polls, |poll| poll.events as u32);
        self.numbers("polls.ready", polls, |poll| poll.ready as u32);
    }

    fn add_sockets(&mut self, weave: &Weave, recording: &Recording) {
        let sockets = &weave.sockets;
        self.numbers("sockets.descriptor", sockets, |socket| socket.descriptor as u32);
        self.names("sockets.kind", recording, sockets, |socket| socket.kind);
        self.names("sockets.peer", recording, sockets, |socket| socket.peer);
        self.times("sockets.opened", sockets, |socket| Some(socket.opened));
        self.times("sockets.closed", sockets, |socket| socket.closed);
        let numbered = sockets.iter().enumerate();
        let transfers: Vec<_> = numbered
            .flat_map(|(socket, it)| it.transfers.iter().map(move |t| (socket, *t)))
            .collect();
        self.numbers("transfers.socket", &transfers, |it| it.0 as u32);
        self.times("transfers.time", &transfers, |it| Some(it.1.time));
        self.bytes("transfers.came", &transfers, |it| u8::from(it.1.came));
        self.numbers("transfers.bytes", &transfers, |it| it.1.bytes);
        self.numbers("transfers.took", &transfers, |it| it.1.took);
    }

    fn add_rest(&mut self, weave: &Weave, recording: &Recording) {
        let collections = &weave.collections;
        self.times("collections.began", collections, |it| Some(it.began));
        self.times("collections.ended", collections, |it| Some(it.ended));
        self.bytes("collections.generation", collections, |it| it.generation as u8);
        self.numbers("collections.taken", collections, |it| it.taken as u32);
        self.names("jobs.function", recording, &weave.jobs, |job| job.function);
        self.times("jobs.began", &weave.jobs, |job| Some(job.began));
        self.times("jobs.ended", &weave.jobs, |job| job.ended);
        self.times("marks.time", &weave.marks, |mark| Some(mark.time));
        self.names("marks.text", recording, &weave.marks, |mark| mark.text);
    }

    fn add_findings(&mut self, weave: &Weave, recording: &Recording) {
        let (stacks, cancels, usage) = (&weave.stacks, &weave.cancels, &weave.usage);
        self.numbers("stacks.step", stacks, |stack| stack.step as u32);
        self.names("stacks.text", recording, stacks, |stack| stack.text);
        self.numbers("cancels.lane", cancels, |cancel| cancel.lane as u32);
        self.times("cancels.time", cancels, |cancel| Some(cancel.time));
        let by = cancels.iter().map(|cancel| cancel.by.map_or(-1, |it| it as i32).to_le_bytes());
        self.push("cancels.step", Kind::I32, cancels.len(), by);
        self.times("usage.time", usage, |it| Some(it.time));
        let spent = |it: u64| (it as f64).to_le_bytes();
        self.push("usage.kernel", Kind::F64, usage.len(), usage.iter().map(|it| spent(it.kernel)));
        let elsewhere = usage.iter().map(|it| spent(it.elsewhere));
        self.push("usage.elsewhere", Kind::F64, usage.len(), elsewhere);
    }

    fn bytes<T>(&mut self, name: &'static str, rows: &[T], number: impl Fn(&T) -> u8) {
        self.push(name, Kind::U8, rows.len(), rows.iter().map(|row| [number(row)]));
    }

    fn numbers<T>(&mut self, name: &'static str, rows: &[T], number: impl Fn(&T) -> u32) {
        self.push(name, Kind::U32, rows.len(), rows.iter().map(|row| number(row).to_le_bytes()));
    }

    fn times<T>(&mut self, name: &'static str, rows: &[T], time: impl Fn(&T) -> Option<Timestamp>) {
        let began = self.began.0;
        let since = |time: Option<Timestamp>| {
            time.map_or(f64::NAN, |time| (i128::from(time.0) - i128::from(began)) as f64)
        };
        self.push(
            name,
            Kind::F64,
            rows.len(),
            rows.iter().map(|row| since(time(row)).to_le_bytes()),
        );
    }

    fn names<T>(
        &mut self,
        column: &'static str,
        recording: &Recording,
        rows: &[T],
        name: impl Fn(&T) -> Name,
    ) {
        let bytes: Vec<_> =
            rows.iter().map(|row| self.string(recording, name(row)).to_le_bytes()).collect();
        self.push(column, Kind::U32, rows.len(), bytes);
    }

    /// The number of a name's text.
    fn string(&mut self, recording: &Recording, name: Name) -> u32 {
        if let Some(&number) = self.numbers.get(&name) {
            return number;
        }
        let number = self.add_string(recording.name(name).to_owned());
        self.numbers.insert(name, number);
        number
    }

    fn add_string(&mut self, text: String) -> u32 {
        if let Some(&number) = self.known.get(&text) {
            return number;
        }
        let number = self.strings.len() as u32;
        self.strings.push(text.clone());
        self.known.insert(text, number);
        number
    }

    fn push<const N: usize>(
        &mut self,
        name: &'static str,
        kind: Kind,
        length: usize,
        bytes: impl IntoIterator<Item = [u8; N]>,
    ) {
        let bytes = bytes.into_iter().flatten().collect();
        self.columns.push(Column { name, kind, length, bytes });
    }
}
