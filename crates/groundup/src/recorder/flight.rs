//! The recorder that keeps what it hears, in a ring.

use std::cell::{Cell, RefCell};
use std::os::fd::RawFd;
use std::time::Duration;

use super::names::{Name, Names};
use super::record::{Verb, pair};
use super::ring::Ring;
use super::{Recorder, TaskId};
use crate::clock::{Clock, Monotonic, Timestamp};

/// Keeps the last records of a loop, and the names in them.
///
/// Writing a record takes no lock and allocates nothing; a name that was not there before does.
///
/// When the ring is full, what was said of a task when it came into being goes, although the task may
/// live on. So the host of the loop says it again now and then, in a [`keyframe`](Self::keyframe).
#[derive(Debug)]
pub struct FlightRecorder<M, C = Monotonic> {
    ring: RefCell<Ring<M>>,
    names: RefCell<Names<M>>,
    clock: C,
    /// How many records there were after the last keyframe.
    keyframe: Cell<u64>,
    /// The last record is that of an end.
    is_between: Cell<bool>,
}

impl<M: AsRef<[u8]> + AsMut<[u8]>, C: Clock> FlightRecorder<M, C> {
    /// A recorder that has heard nothing, with this memory for records and for names, all zeros.
    ///
    /// # Panics
    ///
    /// When there is no room for a single record.
    pub fn new(records: M, names: M, clock: C) -> Self {
        let (ring, names) = (RefCell::new(Ring::new(records)), RefCell::new(Names::new(names)));
        let (keyframe, is_between) = (Cell::new(0), Cell::new(false));
        Self { ring, names, clock, keyframe, is_between }
    }

    /// Keeps a record of this moment.
    #[inline]
    pub fn note(&self, verb: Verb, subject: u64, detail: u64) {
        self.note_at(self.clock.now(), verb, subject, detail);
    }

    /// Keeps a record of a moment that has just been.
    #[inline]
    pub fn note_at(&self, time: Timestamp, verb: Verb, subject: u64, detail: u64) {
        self.is_between.set(false);
        self.ring.borrow_mut().push(time, verb, subject, detail);
    }

    /// The time of the last record.
    #[inline]
    pub fn latest(&self) -> Timestamp {
        self.ring.borrow().latest()
    }

    /// Notes that something begins. Where something else has just ended, that is the same moment, and the
    /// clock, which takes most of the time that a record does, need not be asked again.
    #[inline]
    fn note_begin(&self, verb: Verb, subject: u64, detail: u64) {
        let is_known = self.is_between.get();
        let time = if is_known { self.latest() } else { self.clock.now() };
        self.note_at(time, verb, subject, detail);
    }

    #[inline]
    fn note_end(&self, verb: Verb, detail: u64) {
        self.note(verb, 0, detail);
        self.is_between.set(true);
    }

    /// The number of a text, to refer to it in records.
    pub fn name(&self, text: &str) -> Name {
        self.names.borrow_mut().intern(text)
    }

    /// Says what a task is called, and where it was made.
    pub fn describe(&self, task: TaskId, name: Name, coroutine: Name, place: (Name, u32)) {
        self.note(Verb::Called, task.0, pair(name, coroutine));
        self.note(Verb::Place, task.0, pair(place.0, place.1));
    }

    /// Whether half of the ring was written since the last keyframe: time for the next.
    ///
    /// A host asks for it at the end of a turn.
    #[inline]
    pub fn is_keyframe_due(&self) -> bool {
        let ring = self.ring.borrow();
        ring.count() - self.keyframe.get() >= ring.capacity() / 2
    }

    /// Has `describe` say again what must stay in the ring: what living tasks are called and where
    /// they were made ([`Verb::Called`], [`Verb::Place`], not [`Verb::Spawn`], which would be
    /// another task), and chains ([`Verb::Link`]).
    ///
    /// Names have other numbers from then on, and those that are not used again go.
    ///
    /// All of it is then in the ring at any time, as long as two descriptions and a turn fit into
    /// half of it.
    pub fn keyframe(&self, describe: impl FnOnce(&Self)) {
        self.names.borrow_mut().forget_oldest();
        describe(self);
        self.keyframe.set(self.ring.borrow().count());
    }

    /// Leaves the memory as it is, and goes on in other memory: what finds no room there is lost.
    ///
    /// For a process that is a copy of the one that records: the memory may be shared with that.
    pub fn move_to(&self, records: M, names: M) {
        self.ring.borrow_mut().move_to(records);
        self.names.borrow_mut().move_to(names);
    }

    /// The clock that records are timed by.
    pub fn clock(&self) -> &C {
        &self.clock
    }

    /// Calls `see` with the ring and the names as they are.
    pub fn look<T>(&self, see: impl FnOnce(&Ring<M>, &Names<M>) -> T) -> T {
        see(&self.ring.borrow(), &self.names.borrow())
    }
}

/// How many nanoseconds a poll may sleep, as a record has it.
fn nanoseconds(timeout: Option<Duration>) -> u64 {
    timeout.map_or(u64::MAX, |timeout| u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX - 1))
}

fn descriptor_number(descriptor: RawFd) -> u64 {
    u64::from(descriptor.cast_unsigned())
}

impl<M: AsRef<[u8]> + AsMut<[u8]>, C: Clock> Recorder for FlightRecorder<M, C> {
    fn spawn(&self, task: TaskId) {
        self.note(Verb::Spawn, task.0, 0);
    }

    #[inline]
    fn wake(&self, task: TaskId) {
        self.note(Verb::Wake, task.0, 0);
    }

    #[inline]
    fn step_begin(&self, task: TaskId) {
        self.note_begin(Verb::StepBegin, task.0, 0);
    }

    #[inline]
    fn step_end(&self) {
        self.note_end(Verb::StepEnd, 0);
    }

    #[inline]
    fn dispatch_begin(&self, descriptor: RawFd) {
        self.note_begin(Verb::DispatchBegin, descriptor_number(descriptor), 0);
    }

    #[inline]
    fn dispatch_end(&self) {
        self.note_end(Verb::DispatchEnd, 0);
    }

    #[inline]
    fn arrive(&self, count: usize) {
        self.note(Verb::Arrive, 0, count as u64);
    }

    #[inline]
    fn poll_begin(&self, ready: usize, timeout: Option<Duration>) {
        self.note_begin(Verb::PollBegin, ready as u64, nanoseconds(timeout));
    }

    #[inline]
    fn poll_end(&self, events: usize) {
        self.note_end(Verb::PollEnd, events as u64);
    }

    fn timer_set(&self, task: TaskId, deadline: Timestamp) {
        self.note(Verb::TimerSet, task.0, deadline.0.cast_unsigned());
    }

    fn timer_cancel(&self, task: TaskId) {
        self.note(Verb::TimerCancel, task.0, 0);
    }

    fn timer_expire(&self, task: TaskId) {
        self.note(Verb::TimerExpire, task.0, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::{RECORD_SIZE, halves};
    use super::*;
    use crate::clock::Virtual;
    use crate::recorder::ring;

    type Flight = FlightRecorder<Vec<u8>, Virtual>;

    const PLACES: u64 = 256;
    /// Two descriptions of so many tasks, two records each, and the longest turn, fit into half.
    const MOST_TASKS: u64 = 20;
    const LONGEST_TURN: u64 = 40;

    fn recorder() -> Flight {
        FlightRecorder::new(
            vec![0; PLACES as usize * RECORD_SIZE],
            vec![0; 3 * 512],
            Virtual::default(),
        )
    }

    fn describe(flight: &Flight, task: u64) {
        let name = flight.name(&format!("task {task}"));
        flight.describe(TaskId(task), name, 0, (0, task as u32));
    }

    /// The lines of the places that stand in the ring, by task.
    fn places(flight: &Flight) -> BTreeMap<u64, u32> {
        let records = flight.look(|ring, _| ring::read(ring.memory()));
        let places = records.iter().filter(|record| record.verb == Verb::Place);
        places.map(|record| (record.subject, halves(record.detail).1)).collect()
    }

    #[test]
    fn a_keyframe_is_due_when_half_of_the_ring_was_written_since_the_last() {
        let flight = recorder();
        let write = |count| (0..count).for_each(|_| flight.step_end());
        write(PLACES / 2 - 1);
        assert!(!flight.is_keyframe_due());
        write(1);
        assert!(flight.is_keyframe_due());
        flight.keyframe(|flight| describe(flight, 2));
        assert!(!flight.is_keyframe_due());
        write(PLACES / 2);
        assert!(flight.is_keyframe_due());
    }

    #[test]
    fn what_is_noted_without_memory_is_lost_and_harms_nothing() {
        let flight = recorder();
        flight.step_end();
        flight.move_to(vec![0; 1], vec![0; 1]);
        (0..PLACES).for_each(|_| flight.step_end());
        flight.keyframe(|flight| describe(flight, 2));
        flight
            .look(|ring, names| assert_eq!((ring.memory(), names.memory()), (&[0][..], &[0][..])));
    }

    #[test]
    fn what_begins_where_something_ends_begins_at_that_moment() {
        let flight = recorder();
        let pass = || flight.clock().advance(Duration::from_nanos(1));
        flight.poll_begin(0, None);
        pass();
        flight.poll_end(1);
        pass();
        flight.dispatch_begin(9);
        pass();
        flight.dispatch_end();
        flight.wake(TaskId(2));
        pass();
        flight.step_begin(TaskId(2));
        let records = flight.look(|ring, _| ring::read(ring.memory()));
        let times: Vec<_> = records.iter().map(|record| record.time.0).collect();
        assert_eq!(times, [0, 1, 1, 3, 3, 4]);
    }

    proptest! {
        #[test]
        fn who_lives_is_described_in_the_ring_however_often_that_wraps(
            turns in prop::collection::vec((0..MOST_TASKS, 0..LONGEST_TURN), 0..200),
        ) {
            let (flight, mut living) = (recorder(), Vec::new());
            for (task, length) in turns {
                match living.iter().position(|it| *it == task) {
                    Some(place) => drop(living.remove(place)),
                    None => {
                        describe(&flight, task);
                        living.push(task);
                    }
                }
                (2..length).for_each(|_| flight.step_end());
                if flight.is_keyframe_due() {
                    flight.keyframe(|flight| living.iter().for_each(|it| describe(flight, *it)));
                }
            }
            let places = places(&flight);
            for task in living {
                prop_assert_eq!(places.get(&task), Some(&(task as u32)));
            }
        }
    }
}
