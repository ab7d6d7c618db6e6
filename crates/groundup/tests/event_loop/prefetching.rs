//! Memory is fetched ahead for what is to be resumed, where much is.

use std::os::fd::AsFd;

use groundup::clock::Timestamp;
use groundup::poller::Readiness;

use crate::host::{World, full_pipe, note, source};

const MANY: usize = 200;

/// So many names: "0", "1", and so on.
fn names(count: usize) -> impl Iterator<Item = &'static str> {
    (0..count).map(|number| &*number.to_string().leak())
}

#[test]
fn what_many_tasks_need_is_fetched_link_by_link_before_their_turn() {
    let world = World::new();
    world.wake(names(MANY));
    world.turn();
    assert_eq!(world.resumed.get(), MANY);
    for (place, name) in names(MANY).enumerate().take(MANY / 2).skip(MANY / 4) {
        let fetched = world.fetched.borrow();
        let of_it: Vec<_> = fetched.iter().filter(|(whose, ..)| *whose == name).collect();
        let links: Vec<_> = of_it.iter().map(|(_, links, _)| *links).collect();
        assert_eq!(links, [0, 1, 2]);
        assert!(of_it.iter().all(|(.., resumed)| *resumed < place));
        assert!(of_it.is_sorted_by(|(.., earlier), (.., later)| earlier < later));
    }
}

#[test]
fn what_few_tasks_need_is_not() {
    let world = World::new();
    world.wake(names(20));
    world.turn();
    assert_eq!(world.resumed.get(), 20);
    assert!(world.fetched.borrow().is_empty());
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn what_hears_of_events_is_fetched_too() {
    let world = World::new();
    let (reader, _writer) = full_pipe();
    world.events.watch(reader.as_fd(), source("source"), Readiness::READABLE).unwrap();
    world.wake(names(20));
    for name in names(MANY) {
        world.events.wake_at(Timestamp(0), note(name));
    }
    world.turn();
    let fetched = world.fetched.borrow();
    let of_it: Vec<_> = fetched.iter().filter(|(whose, ..)| *whose == "source").collect();
    let links: Vec<_> = of_it.iter().map(|(_, links, _)| *links).collect();
    assert_eq!(links, [0, 1, 2]);
    assert!(of_it.iter().all(|(.., resumed)| *resumed < 20));
}
