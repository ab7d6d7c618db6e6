//! What columns say of records that tell a story.

use super::{Columns, Kind};
use crate::recorder::{Verb, pair};
use crate::weave::tests::{Story, parent_and_child};

fn times_of(columns: &Columns, name: &str) -> Vec<f64> {
    let column = columns.columns.iter().find(|it| it.name == name).unwrap();
    assert_eq!((column.kind, column.bytes.len()), (Kind::F64, 8 * column.length));
    column.bytes.chunks_exact(8).map(|it| f64::from_le_bytes(it.try_into().unwrap())).collect()
}

fn texts_of<'a>(columns: &'a Columns, name: &str) -> Vec<&'a str> {
    let column = columns.columns.iter().find(|it| it.name == name).unwrap();
    let number = |it: &[u8]| u32::from_le_bytes(it.try_into().unwrap());
    let numbers = column.bytes.chunks_exact(4).map(number);
    numbers.map(|it| columns.strings[it as usize].as_str()).collect()
}

fn numbers_of(columns: &Columns, name: &str) -> Vec<u32> {
    let column = columns.columns.iter().find(|it| it.name == name).unwrap();
    column.bytes.chunks_exact(4).map(|it| u32::from_le_bytes(it.try_into().unwrap())).collect()
}

#[test]
fn columns_say_what_the_weave_says() {
    let story = parent_and_child();
    let columns = Columns::of(&story.weave(), &story.recording());
    assert_eq!(times_of(&columns, "steps.began"), [10.0, 20.0, 152.0, 155.0]);
    assert_eq!(times_of(&columns, "steps.took"), [10.0, 30.0, 3.0, 1.0]);
    assert_eq!(texts_of(&columns, "lanes.name"), ["main", "fetch"]);
    assert_eq!(texts_of(&columns, "waits.what"), ["task", "timer"]);
    assert_eq!(columns.strings[0], "");
}

#[test]
fn what_has_no_time_is_not_a_number() {
    let story = Story::new();
    story.note(Verb::Spawn, 2, 0).note(Verb::StepBegin, 2, 0);
    let columns = Columns::of(&story.weave(), &story.recording());
    assert!(times_of(&columns, "lanes.ended")[0].is_nan());
    assert!(times_of(&columns, "steps.woken")[0].is_nan());
}

#[test]
fn a_chain_leads_from_who_awaits_to_whom_is_awaited() {
    let story = Story::new();
    let [fetch, read] = ["fetch", "read"].map(|it| story.name(it));
    story.note(Verb::Link, 1, pair(read, 0)).note(Verb::Link, 2, pair(fetch, 1));
    let columns = Columns::of(&story.weave(), &story.recording());
    assert_eq!(texts_of(&columns, "chains.name"), ["", "read", "fetch"]);
}

#[test]
fn a_chain_whose_links_are_lost_is_none() {
    let story = Story::new();
    let read = story.name("read");
    story.note(Verb::Link, 70, pair(read, 69)).note(Verb::Link, 71, pair(read, 70));
    story.note(Verb::Wait, 2, pair(read, 5)).note(Verb::Wait, 4, pair(read, 71));
    let columns = Columns::of(&story.weave(), &story.recording());
    assert_eq!(numbers_of(&columns, "chains.rest"), [0, 0, 1]);
    assert_eq!(numbers_of(&columns, "waits.chain"), [0, 2]);
}

#[test]
fn a_text_has_one_number_whatever_names_it_has_in_the_recording() {
    let story = Story::new();
    story.note(Verb::Mark, 0, pair(story.name("tick"), 0));
    story.recorder.keyframe(|_| {});
    story.note(Verb::Mark, 0, pair(story.name("tick"), 0));
    let columns = Columns::of(&story.weave(), &story.recording());
    assert_eq!(numbers_of(&columns, "marks.text"), [1, 1]);
    assert_eq!(columns.strings, ["", "tick"]);
}

#[test]
fn a_stack_stands_beside_the_number_of_its_step() {
    let story = Story::new();
    let stack = pair(story.name("File \"app.py\", line 3, in parse"), 0);
    story.note(Verb::Stack, 0, stack).note(Verb::StepBegin, 2, 0).note(Verb::StepEnd, 0, 0);
    story.note(Verb::StepBegin, 4, 0).note(Verb::Stack, 0, stack).note(Verb::StepEnd, 0, 0);
    let columns = Columns::of(&story.weave(), &story.recording());
    assert_eq!(numbers_of(&columns, "stacks.step"), [1]);
    assert_eq!(texts_of(&columns, "stacks.text"), ["File \"app.py\", line 3, in parse"]);
}

#[test]
fn what_the_thread_used_is_kept_with_its_time() {
    let story = Story::new();
    story.note(Verb::Usage, 70, 30).pass(5).note(Verb::Usage, 90, 60);
    let columns = Columns::of(&story.weave(), &story.recording());
    assert_eq!(times_of(&columns, "usage.time"), [0.0, 5.0]);
    assert_eq!(times_of(&columns, "usage.kernel"), [70.0, 90.0]);
    assert_eq!(times_of(&columns, "usage.elsewhere"), [30.0, 60.0]);
}

#[test]
fn a_task_without_a_name_is_called_by_its_number() {
    let story = Story::new();
    story.note(Verb::Spawn, 2, 7).note(Verb::Spawn, 4, 0);
    let columns = Columns::of(&story.weave(), &story.recording());
    assert_eq!(texts_of(&columns, "lanes.name"), ["Task-7", ""]);
}
