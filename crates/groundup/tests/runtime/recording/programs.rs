//! Programs that nobody wrote: what a recording tells of each task is what the task has noted itself.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::time::Duration;

use groundup::runtime::Tape;
use groundup::weave::{LaneKind, totals};
use groundup::{block_on, sleep, spawn, yield_now};
use proptest::prelude::*;

use super::{Scratch, Told};

/// What a task does, one after the other.
#[derive(Clone, Debug)]
enum Act {
    GiveWay,
    Sleep,
    Spawn(Fate, Vec<Act>),
}

/// What becomes of a task that was spawned.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Joined,
    Detached,
    Dropped,
}

/// What a task has noted of itself.
#[derive(Clone, Debug, PartialEq)]
struct Note {
    parent: Option<usize>,
    polls: usize,
    how: String,
}

type Diary = Rc<RefCell<Vec<Note>>>;

/// A task that notes how often it is polled, and whether it returns.
fn task(diary: &Diary, parent: Option<usize>, acts: Vec<Act>) -> Pin<Box<dyn Future<Output = ()>>> {
    let number = diary.borrow().len();
    diary.borrow_mut().push(Note { parent, polls: 0, how: "cancelled".into() });
    let diary = diary.clone();
    Box::pin(async move {
        let mut work = pin!(perform(&diary, number, acts));
        poll_fn(|context| {
            diary.borrow_mut()[number].polls += 1;
            work.as_mut().poll(context)
        })
        .await;
        diary.borrow_mut()[number].how = "returned".into();
    })
}

async fn perform(diary: &Diary, number: usize, acts: Vec<Act>) {
    for act in acts {
        match act {
            Act::GiveWay => yield_now().await,
            Act::Sleep => sleep(Duration::ZERO).await,
            Act::Spawn(fate, acts) => {
                let handle = spawn(task(diary, Some(number), acts));
                match fate {
                    Fate::Joined => handle.await,
                    Fate::Detached => handle.detach(),
                    Fate::Dropped => yield_now().await,
                }
            }
        }
    }
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let single = prop_oneof![Just(Act::GiveWay), Just(Act::Sleep)];
    let fates = prop::sample::select(vec![Fate::Joined, Fate::Detached, Fate::Dropped]);
    let act = single.prop_recursive(4, 40, 6, move |act| {
        let spawned = (fates.clone(), prop::collection::vec(act.clone(), 0..6));
        prop_oneof![act, spawned.prop_map(|(fate, acts)| Act::Spawn(fate, acts))]
    });
    prop::collection::vec(act, 0..8)
}

/// What a recording tells of the tasks, as they have noted it.
fn notes(told: &Told) -> Vec<Note> {
    let tasks: Vec<_> = (0..told.weave.lanes.len())
        .filter(|&it| told.weave.lanes[it].kind == LaneKind::Task)
        .collect();
    let totals = totals(&told.weave);
    let note = |&lane: &usize| {
        let outcome = told.weave.lanes[lane].outcome.expect("all have ended");
        Note {
            parent: told.weave.lanes[lane].parent.and_then(|it| tasks.binary_search(&it).ok()),
            polls: totals[lane].steps,
            how: told.recording.name(outcome.how).into(),
        }
    };
    tasks.iter().map(note).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    #[cfg_attr(miri, ignore = "makes system calls of its own")]
    fn each_task_has_the_steps_and_the_end_that_it_had(acts in acts()) {
        let (scratch, diary) = (Scratch::new(), Diary::default());
        let tape = Tape::with_capacity(&scratch.0, 1 << 18).unwrap();
        block_on(task(&diary, None, acts));
        tape.finish().unwrap();
        prop_assert_eq!(notes(&scratch.read()), diary.take());
    }
}
