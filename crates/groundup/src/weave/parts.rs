//! What a weave is made of. Times are on the clock of the recording; lanes and steps are numbered
//! by their places in the weave.

use crate::clock::Timestamp;
use crate::recorder::Name;

/// What happened in a loop, from the first record to the last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weave {
    /// The time of the first record.
    pub began: Timestamp,
    /// The time of the last record.
    pub ended: Timestamp,
    /// How many records are missing.
    pub lost: u64,
    /// Who takes steps: tasks, and the functions called back.
    pub lanes: Vec<Lane>,
    /// All steps, in the order in which they began.
    pub steps: Vec<Step>,
    /// All waits of tasks, in the order in which they began.
    pub waits: Vec<Wait>,
    /// How often, and for how long, the loop asked for events.
    pub polls: Vec<Poll>,
    /// The connections.
    pub sockets: Vec<Socket>,
    /// The collections of garbage.
    pub collections: Vec<Collection>,
    /// What executors did.
    pub jobs: Vec<Job>,
    /// What the program said.
    pub marks: Vec<Mark>,
    /// Where steps were that took long.
    pub stacks: Vec<Stack>,
    /// Who was asked to cancel itself.
    pub cancels: Vec<Cancel>,
    /// What the thread had used, now and then.
    pub usage: Vec<Usage>,
}

/// Who takes steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// A task, or something else.
    pub kind: LaneKind,
    /// A task's name, or a function's.
    pub name: Name,
    /// The number of a task, which names it if nothing else does; 0 if it has none.
    pub number: u64,
    /// What a task runs.
    pub coroutine: Name,
    /// The file and the line where a task was made, or a function stands.
    pub place: (Name, u32),
    /// The lane of the task that made it.
    pub parent: Option<usize>,
    /// When it came into being; when it was first heard of, if that was earlier than the recording.
    pub began: Timestamp,
    /// How it ended; `None` if the recording ends before it does.
    pub outcome: Option<Outcome>,
}

/// What a lane stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneKind {
    /// One task.
    Task,
    /// All calls of one function by the loop.
    Callback,
    /// What the loop does for one descriptor.
    Descriptor,
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// When.
    pub time: Timestamp,
    /// How: returned, raised, cancelled.
    pub how: Name,
    /// The exception.
    pub exception: Name,
}

/// A task's step, a call of a function, or a dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Whose.
    pub lane: usize,
    /// When it began.
    pub began: Timestamp,
    /// When it ended; the end of the recording, if that came first.
    pub ended: Timestamp,
    /// When it was put on the ready queue, if that is known.
    pub woken: Option<Timestamp>,
    /// What put it there.
    pub cause: Cause,
}

/// What made something ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cause {
    /// Not known: it happened before the recording, or the record is lost.
    #[default]
    Unknown,
    /// A step.
    Step(usize),
    /// A timer.
    Timer,
    /// Another thread.
    Thread,
    /// A signal.
    Signal(u32),
    /// What the loop's poll brought.
    Poll,
}

/// What a task waited for, from the end of one step to the beginning of the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Who waited.
    pub lane: usize,
    /// When it began.
    pub began: Timestamp,
    /// When what was waited for came; the end of the recording, if that came first.
    pub ended: Timestamp,
    /// Whether it came.
    pub is_over: bool,
    /// What was waited for.
    pub what: Name,
    /// Who awaits whom, innermost last; see [`Verb::Link`](crate::recorder::Verb::Link).
    pub chain: u32,
}

/// A question for events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poll {
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// How many events came.
    pub events: u64,
    /// How many entries were ready before.
    pub ready: u64,
}

/// A connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Socket {
    /// Its number.
    pub descriptor: u64,
    /// What it is.
    pub kind: Name,
    /// Who is at the other end.
    pub peer: Name,
    /// When it was opened, or first heard of.
    pub opened: Timestamp,
    /// When it was closed, if it was.
    pub closed: Option<Timestamp>,
    /// What came and went.
    pub transfers: Vec<Transfer>,
}

/// Bytes that came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// When the system call was over.
    pub time: Timestamp,
    /// Whether they came.
    pub came: bool,
    /// How many.
    pub bytes: u32,
    /// How long it took the kernel, in nanoseconds.
    pub took: u32,
}

/// A collection of garbage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collection {
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// The generation.
    pub generation: u64,
    /// How many objects it took.
    pub taken: u64,
}

/// What an executor did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// The function.
    pub function: Name,
    /// When it was given away.
    pub began: Timestamp,
    /// When the loop heard of its end, if it did.
    pub ended: Option<Timestamp>,
}

/// What the program said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub time: Timestamp,
    /// What.
    pub text: Name,
}

/// Where a step was that took long, seen while it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The step.
    pub step: usize,
    /// The calls in it, a line each, the innermost last.
    pub text: Name,
}

/// A task was asked to cancel itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancel {
    /// Who was asked.
    pub lane: usize,
    /// When.
    pub time: Timestamp,
    /// The step that asked; `None` if it was none.
    pub by: Option<usize>,
}

/// What a loop's thread had used by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// When.
    pub time: Timestamp,
    /// Nanoseconds in the kernel.
    pub kernel: u64,
    /// Nanoseconds elsewhere: in Python, in what it calls, in the loop.
    pub elsewhere: u64,
}
