//! What is put together from records that tell a story.

use std::time::Duration;

use super::columns::Columns;
use super::*;
use crate::clock::{Timestamp, Virtual};
use crate::recorder::recording::{Head, Recording};
use crate::recorder::{FlightRecorder, Name, Recorder, TaskId, Verb, pair};

const LIMIT: usize = 64 * 32;

/// A recorder of a story, in which each thing takes the time that is told.
pub(super) struct Story {
    pub(super) recorder: FlightRecorder<Vec<u8>, Virtual>,
}

impl Story {
    pub(super) fn new() -> Self {
        Self { recorder: FlightRecorder::new(vec![0; LIMIT], vec![0; 1024], Virtual::default()) }
    }

    pub(super) fn name(&self, text: &str) -> Name {
        self.recorder.name(text)
    }

    pub(super) fn pass(&self, nanoseconds: u64) -> &Self {
        self.recorder.clock().advance(Duration::from_nanos(nanoseconds));
        self
    }

    pub(super) fn note(&self, verb: Verb, subject: u64, detail: u64) -> &Self {
        self.recorder.note(verb, subject, detail);
        self
    }

    pub(super) fn recording(&self) -> Recording {
        self.recorder.look(|ring, names| {
            let (names, records) = (names.memory(), ring.memory());
            let head = Head {
                length: 64,
                names: names.len() as u64,
                records: records.len() as u64,
                process: 1,
                monotonic: Timestamp(0),
                wall: 0,
            };
            Recording::read(&[&head.to_bytes(), names, records].concat()).unwrap()
        })
    }

    pub(super) fn weave(&self) -> Weave {
        build(&self.recording())
    }
}

/// A parent, 2, makes a child, 4, and waits for it; the child waits for a timer.
pub(super) fn parent_and_child() -> Story {
    let story = Story::new();
    let [main, fetch, timer, task] = ["main", "fetch", "timer", "task"].map(|it| story.name(it));
    story.note(Verb::Spawn, 2, 0).note(Verb::Called, 2, pair(main, main)).note(Verb::Wake, 2, 0);
    story.pass(10).note(Verb::StepBegin, 2, 0).pass(5);
    story.note(Verb::Spawn, 4, 0).note(Verb::Called, 4, pair(fetch, fetch));
    story.note(Verb::Wake, 4, 0).pass(5);
    story.note(Verb::Wait, 2, pair(task, 0)).note(Verb::StepEnd, 0, 0);
    story.note(Verb::StepBegin, 4, 0).pass(30);
    story.note(Verb::Wait, 4, pair(timer, 0)).note(Verb::StepEnd, 0, 0);
    story.note(Verb::PollBegin, 0, 100).pass(100).note(Verb::PollEnd, 0, 0);
    story.note(Verb::TimerExpire, 4, 0).note(Verb::Wake, 4, 0).pass(2);
    story.note(Verb::StepBegin, 4, 0).pass(3);
    story.note(Verb::Finish, 4, pair(story.name("returned"), 0)).note(Verb::Wake, 2, 0);
    story.note(Verb::StepEnd, 0, 0).note(Verb::StepBegin, 2, 0).pass(1);
    story.note(Verb::Finish, 2, pair(story.name("returned"), 0)).note(Verb::StepEnd, 0, 0);
    story
}

fn times(step: &Step) -> (usize, i64, i64) {
    (step.lane, step.began.0, step.ended.0)
}

#[test]
fn steps_belong_to_their_tasks_and_take_their_time() {
    let weave = parent_and_child().weave();
    let steps: Vec<_> = weave.steps.iter().map(times).collect();
    assert_eq!(steps, [(0, 10, 20), (1, 20, 50), (1, 152, 155), (0, 155, 156)]);
    assert_eq!((weave.began, weave.ended), (Timestamp(0), Timestamp(156)));
}

#[test]
fn a_task_knows_who_made_it_and_how_it_ended() {
    let story = parent_and_child();
    let (recording, weave) = (story.recording(), story.weave());
    let names: Vec<_> = weave.lanes.iter().map(|lane| recording.name(lane.name)).collect();
    assert_eq!(names, ["main", "fetch"]);
    assert_eq!(weave.lanes.iter().map(|lane| lane.parent).collect::<Vec<_>>(), [None, Some(0)]);
    let ended = |lane: &Lane| lane.outcome.map(|it| (it.time.0, recording.name(it.how).to_owned()));
    let ends: Vec<_> = weave.lanes.iter().map(ended).collect();
    assert_eq!(ends, [Some((156, "returned".into())), Some((155, "returned".into()))]);
}

#[test]
fn a_step_knows_what_woke_it_and_how_long_it_stood_in_line() {
    let weave = parent_and_child().weave();
    let causes: Vec<_> =
        weave.steps.iter().map(|step| (step.woken.unwrap().0, step.cause)).collect();
    let expected =
        [(0, Cause::Unknown), (15, Cause::Step(0)), (150, Cause::Timer), (155, Cause::Step(2))];
    assert_eq!(causes, expected);
}

#[test]
fn a_wait_lasts_until_what_was_waited_for_came() {
    let story = parent_and_child();
    let (recording, weave) = (story.recording(), story.weave());
    let waits: Vec<_> = weave
        .waits
        .iter()
        .map(|it| (it.lane, it.began.0, it.ended.0, it.is_over, recording.name(it.what)))
        .collect();
    assert_eq!(waits, [(0, 20, 155, true, "task"), (1, 50, 150, true, "timer")]);
}

#[test]
fn totals_add_up_what_a_task_did() {
    let weave = parent_and_child().weave();
    let child = totals(&weave)[1];
    let nanoseconds = Duration::from_nanos;
    let expected = LaneTotals {
        steps: 2,
        running: nanoseconds(33),
        longest: nanoseconds(30),
        ready: nanoseconds(7),
        waiting: nanoseconds(100),
    };
    assert_eq!(child, expected);
    assert_eq!(longest_steps(&weave, 1), [1]);
    assert_eq!(slowest_waits(&weave, 2), [0, 1]);
    assert_eq!(never_finished(&weave), [0_usize; 0]);
}

#[test]
fn what_had_not_ended_lasts_to_the_end_of_the_recording() {
    let story = Story::new();
    story.note(Verb::Spawn, 2, 0).note(Verb::StepBegin, 2, 0);
    story.note(Verb::Wait, 2, 0).note(Verb::StepEnd, 0, 0).pass(40);
    story.note(Verb::PollBegin, 0, 0).pass(2).note(Verb::Mark, 0, 0);
    let weave = story.weave();
    assert_eq!((weave.waits[0].ended.0, weave.waits[0].is_over), (42, false));
    assert_eq!(weave.polls[0].ended.0, 42);
    assert_eq!(never_finished(&weave), [0]);
}

#[test]
fn a_task_older_than_the_recording_has_a_lane_all_the_same() {
    let story = Story::new();
    story.note(Verb::StepBegin, 8, 0).pass(1).note(Verb::StepEnd, 0, 0);
    assert_eq!(story.weave().lanes.len(), 1);
}

#[test]
fn a_number_that_is_used_again_is_another_task() {
    let story = Story::new();
    for _ in 0..2 {
        story.note(Verb::Spawn, 2, 0).note(Verb::StepBegin, 2, 0);
        story.note(Verb::Finish, 2, 0).note(Verb::StepEnd, 0, 0);
    }
    let weave = story.weave();
    assert_eq!(weave.steps.iter().map(|step| step.lane).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn calls_of_one_function_share_a_lane() {
    let story = Story::new();
    let function = pair(story.name("tick"), story.name("app.py:3"));
    for handle in [0x100, 0x200] {
        let handle = TaskId::of_callback(handle).0;
        story.note(Verb::StepBegin, handle, 0).note(Verb::Callback, handle, function);
        story.note(Verb::StepEnd, 0, 0);
    }
    let (recording, weave) = (story.recording(), story.weave());
    let lane = &weave.lanes[weave.steps[1].lane];
    assert_eq!(weave.steps[0].lane, weave.steps[1].lane);
    assert_eq!((lane.kind, recording.name(lane.name)), (LaneKind::Callback, "tick"));
    assert_eq!(recording.name(lane.place.0), "app.py:3");
}

#[test]
fn a_task_that_is_begun_within_a_step_is_a_step_within_it() {
    let story = Story::new();
    story.note(Verb::Spawn, 2, 0).note(Verb::StepBegin, 2, 0).pass(1);
    story.note(Verb::Spawn, 4, 0).note(Verb::StepBegin, 4, 0).pass(2).note(Verb::StepEnd, 0, 0);
    story.pass(3).note(Verb::StepEnd, 0, 0);
    let weave = story.weave();
    let steps: Vec<_> = weave.steps.iter().map(times).collect();
    assert_eq!(steps, [(0, 0, 6), (1, 1, 3)]);
    assert_eq!(weave.steps[1].cause, Cause::Step(0));
}

#[test]
fn what_other_threads_bring_is_known_by_that() {
    let story = Story::new();
    story.note(Verb::PollBegin, 0, 0).note(Verb::PollEnd, 0, 0).note(Verb::Arrive, 0, 1);
    story.note(Verb::Wake, 2, 0).note(Verb::StepBegin, 2, 0).note(Verb::StepEnd, 0, 0);
    assert_eq!(story.weave().steps[0].cause, Cause::Thread);
}

#[test]
fn a_connection_has_what_came_and_went() {
    let story = Story::new();
    let (tcp, peer) = (story.name("tcp"), story.name("127.0.0.1:80"));
    story.note(Verb::Open, 9, pair(tcp, peer)).pass(3);
    story.recorder.dispatch_begin(9);
    story.note(Verb::Read, 9, pair(1024, 700)).note(Verb::Write, 9, pair(12, 90));
    story.recorder.dispatch_end();
    story.pass(1).note(Verb::Close, 9, 0).note(Verb::Open, 9, pair(tcp, peer));
    let weave = story.weave();
    let socket = &weave.sockets[0];
    assert_eq!((socket.opened.0, socket.closed.unwrap().0, weave.sockets.len()), (0, 4, 2));
    let transfers: Vec<_> =
        socket.transfers.iter().map(|it| (it.came, it.bytes, it.took)).collect();
    assert_eq!(transfers, [(true, 1024, 700), (false, 12, 90)]);
    assert_eq!(weave.lanes[weave.steps[0].lane].kind, LaneKind::Descriptor);
}

#[test]
fn a_connection_that_is_said_again_is_the_same_and_may_have_become_another_kind() {
    let story = Story::new();
    let [tcp, tls, peer] = ["tcp", "tls", "127.0.0.1:80"].map(|it| story.name(it));
    story.note(Verb::Open, 9, pair(tcp, peer)).pass(3).note(Verb::Open, 9, pair(tls, peer));
    let weave = story.weave();
    assert_eq!(weave.sockets.len(), 1);
    assert_eq!((weave.sockets[0].opened.0, weave.sockets[0].kind), (0, tls));
}

#[test]
fn a_connection_was_closed_at_the_latest_when_its_number_has_another_peer() {
    let story = Story::new();
    let [tcp, one, two] = ["tcp", "127.0.0.1:80", "127.0.0.1:81"].map(|it| story.name(it));
    story.note(Verb::Open, 9, pair(tcp, one)).pass(3).note(Verb::Open, 9, pair(tcp, two));
    let closed: Vec<_> = story.weave().sockets.iter().map(|it| it.closed).collect();
    assert_eq!(closed, [Some(Timestamp(3)), None]);
}

#[test]
fn a_connection_that_is_said_to_be_open_again_is_the_same() {
    let story = Story::new();
    let [tcp, one, other] = ["tcp", "127.0.0.1:80", "127.0.0.1:81"].map(|it| story.name(it));
    story.note(Verb::Open, 9, pair(tcp, one)).note(Verb::Read, 9, pair(1, 1));
    story.note(Verb::Open, 9, pair(tcp, one)).note(Verb::Write, 9, pair(1, 1));
    story.note(Verb::Open, 9, pair(tcp, other)).note(Verb::Close, 9, 0);
    story.note(Verb::Open, 9, pair(tcp, other));
    let weave = story.weave();
    let sockets: Vec<_> = weave.sockets.iter().map(|it| (it.peer, it.transfers.len())).collect();
    assert_eq!(sockets, [(one, 2), (other, 0), (other, 0)]);
}

#[test]
fn a_request_to_cancel_names_who_asked() {
    let story = Story::new();
    story.note(Verb::Spawn, 2, 0).note(Verb::Spawn, 4, 0).note(Verb::StepBegin, 4, 0).pass(3);
    story.note(Verb::Cancel, 2, 0).note(Verb::StepEnd, 0, 0).note(Verb::Cancel, 2, 0);
    let cancels = story.weave().cancels;
    let cancels: Vec<_> = cancels.iter().map(|it| (it.lane, it.time.0, it.by)).collect();
    assert_eq!(cancels, [(0, 3, Some(0)), (0, 3, None)]);
}

proptest::proptest! {
    #[test]
    fn records_in_any_order_are_put_together_somehow(
        records in proptest::collection::vec(
            (proptest::sample::select(Verb::ALL), 0_u64..8, 0_u64..4, 0_u64..5),
            0..200,
        ),
    ) {
        let story = Story::new();
        for (verb, subject, detail, time) in records {
            story.pass(time).note(verb, subject, detail);
        }
        let weave = story.weave();
        for step in &weave.steps {
            assert!(step.began <= step.ended && step.lane < weave.lanes.len());
        }
        for wait in &weave.waits {
            assert!(wait.began <= wait.ended && wait.ended <= weave.ended);
        }
        assert_eq!(totals(&weave).len(), weave.lanes.len());
        let columns = Columns::of(&weave, &story.recording()).columns;
        assert!(columns.iter().all(|it| it.length == 0 || it.bytes.len() % it.length == 0));
    }
}

#[test]
fn a_call_that_resumes_a_task_is_a_step_of_the_task_and_ends_its_wait() {
    let story = Story::new();
    let timer = story.name("timer");
    story.note(Verb::Spawn, 2, 1).note(Verb::Wait, 2, pair(timer, 0)).pass(5);
    story.note(Verb::Wake, 9, 0).pass(1);
    story.note(Verb::StepBegin, 9, 0).note(Verb::Resume, 2, 0).pass(3).note(Verb::StepEnd, 0, 0);
    let weave = story.weave();
    assert_eq!(weave.steps.iter().map(|step| step.lane).collect::<Vec<_>>(), [0]);
    let waits: Vec<_> = weave.waits.iter().map(|it| (it.ended.0, it.is_over)).collect();
    assert_eq!(waits, [(5, true)]);
}

#[test]
fn a_stack_belongs_to_the_step_that_goes_on() {
    let story = Story::new();
    let stack = story.name("app.py:7 main\napp.py:3 sleep");
    story.note(Verb::StepBegin, 2, 0).note(Verb::StepEnd, 0, 0).note(Verb::StepBegin, 4, 0);
    story.note(Verb::Stack, 0, pair(stack, 0)).note(Verb::StepEnd, 0, 0);
    assert_eq!(story.weave().stacks, [Stack { step: 1, text: stack }]);
}

#[test]
fn calls_of_a_function_share_a_lane_whatever_number_its_name_has() {
    let story = Story::new();
    let call = |name| {
        story.note(Verb::StepBegin, 1, 0).note(Verb::Callback, 0, pair(name, 0));
        story.note(Verb::StepEnd, 0, 0);
    };
    let before = story.name("tick");
    call(before);
    story.recorder.keyframe(|_| {});
    let after = story.name("tick");
    call(after);
    assert_ne!(before, after);
    assert_eq!(story.weave().steps.iter().map(|step| step.lane).collect::<Vec<_>>(), [0, 0]);
}

#[test]
fn a_task_that_is_described_again_when_it_is_ready_waits_no_more() {
    let story = Story::new();
    let timer = story.name("timer");
    story.note(Verb::Spawn, 2, 3).note(Verb::Wait, 2, pair(timer, 0)).pass(9).note(
        Verb::Wake,
        2,
        0,
    );
    story.note(Verb::Live, 2, 3).note(Verb::Wait, 2, pair(timer, 0)).pass(9);
    story.note(Verb::StepBegin, 2, 0).note(Verb::Wait, 2, pair(timer, 0)).note(Verb::StepEnd, 2, 0);
    let waits = story.weave().waits;
    assert_eq!(
        waits.iter().map(|it| (it.began.0, it.ended.0)).collect::<Vec<_>>(),
        [(0, 9), (18, 18)]
    );
}

#[test]
fn a_task_that_is_described_again_is_the_same_and_waits_since_then() {
    let story = Story::new();
    let timer = story.name("timer");
    story.note(Verb::Spawn, 2, 3).note(Verb::Wait, 2, pair(timer, 0)).pass(9);
    story.note(Verb::Live, 2, 3).note(Verb::Wait, 2, pair(timer, 0));
    let weave = story.weave();
    assert_eq!(weave.lanes.iter().map(|lane| lane.number).collect::<Vec<_>>(), [3]);
    assert_eq!(weave.waits.iter().map(|wait| wait.began.0).collect::<Vec<_>>(), [0]);
}
