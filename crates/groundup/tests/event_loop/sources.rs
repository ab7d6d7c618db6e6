//! What watches a descriptor: entering, changing and leaving, and events that come too late.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Write, pipe};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use groundup::poller::{Readiness, Token};
use groundup::sources::{Sources, Watch};

use crate::host::{World, full_pipe, reacting, source, task};

#[test]
fn a_table_finds_the_watch_an_event_was_meant_for() {
    let mut sources = Sources::new();
    let mut enter = |descriptor, source| {
        let token = sources.next_token(descriptor);
        (token, sources.insert(Watch::new(token, Readiness::READABLE, source)))
    };
    let (first, none) = enter(5, "first");
    let (second, replaced) = enter(5, "second");
    let (other, _) = enter(0, "other");
    assert!(none.is_none());
    assert_eq!(replaced.unwrap().source, "first");
    assert!(sources.find(first).is_none());
    assert_eq!(sources.find(second).unwrap().source, "second");
    assert_eq!(sources.remove(0).unwrap().token, other);
    assert!(sources.find(other).is_none() && sources.remove(0).is_none());
    assert_eq!(sources.iter().map(|watch| watch.source).collect::<Vec<_>>(), ["second"]);
}

#[test]
fn a_table_has_nothing_under_numbers_it_never_saw() {
    let mut sources = Sources::<()>::new();
    for descriptor in [-1, i32::MIN, 0, 1_000_000] {
        assert!(sources.get(descriptor).is_none() && sources.get_mut(descriptor).is_none());
        assert!(sources.find(Token { descriptor, generation: 0 }).is_none());
        assert!(sources.remove(descriptor).is_none());
    }
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_source_is_told_the_directions_it_wants_to_hear_of() {
    let world = World::new();
    let (one, mut other) = UnixStream::pair().unwrap();
    let heard = Rc::new(RefCell::new(Vec::new()));
    let list = heard.clone();
    let listens = reacting("listens", move |_, readiness| {
        list.borrow_mut().push(readiness);
        Ok(())
    });
    other.write_all(b"x").unwrap();
    world.events.watch(one.as_fd(), listens, Readiness::READABLE).unwrap();
    for interest in [Readiness::BOTH, Readiness::WRITABLE] {
        world.turn();
        world.events.set_interest(one.as_fd(), interest).unwrap();
    }
    world.turn();
    assert_eq!(*heard.borrow(), [Readiness::READABLE, Readiness::BOTH, Readiness::WRITABLE]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_hang_up_is_told_to_whoever_listens() {
    let world = World::new();
    let (reader, writer) = pipe().unwrap();
    drop(writer);
    world.events.watch(reader.as_fd(), source("closed"), Readiness::READABLE).unwrap();
    world.turn();
    assert_eq!(world.names(), ["closed"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn without_interest_a_source_is_in_the_table_only() {
    let world = World::new();
    let (reader, _writer) = full_pipe();
    let fd = reader.as_raw_fd();
    world.events.watch(reader.as_fd(), source("quiet"), Readiness::NONE).unwrap();
    assert_eq!(world.events.source(fd).unwrap().name, "quiet");
    for (interest, heard) in [
        (Readiness::NONE, false),
        (Readiness::READABLE, true),
        (Readiness::NONE, false),
        (Readiness::READABLE, true),
    ] {
        world.events.set_interest(reader.as_fd(), interest).unwrap();
        assert_eq!(world.events.interest(fd), interest);
        world.wake(["turn"]);
        world.turn();
        assert_eq!(world.names().contains(&"quiet".to_owned()), heard);
    }
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_source_that_is_unwatched_is_given_back_and_hears_nothing() {
    let world = World::new();
    let (reader, _writer) = full_pipe();
    world.events.watch(reader.as_fd(), source("gone"), Readiness::READABLE).unwrap();
    assert_eq!(world.events.unwatch(reader.as_fd()).unwrap().name, "gone");
    assert!(world.events.unwatch(reader.as_fd()).is_none());
    assert!(world.events.source(reader.as_raw_fd()).is_none());
    assert_eq!(world.events.interest(reader.as_raw_fd()), Readiness::NONE);
    world.wake(["turn"]);
    world.turn();
    assert!(world.lines().contains(&"(poll ends with 0)".to_owned()));
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_descriptor_has_one_source() {
    let world = World::new();
    let (reader, _writer) = full_pipe();
    world.events.watch(reader.as_fd(), source("first"), Readiness::READABLE).unwrap();
    let outcome = world.events.watch(reader.as_fd(), source("second"), Readiness::READABLE);
    assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    world.turn();
    assert_eq!(world.names(), ["first"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn what_cannot_be_watched_is_not_entered() {
    let world = World::new();
    let file = File::open("Cargo.toml").unwrap();
    let outcome = world.events.watch(file.as_fd(), source("file"), Readiness::READABLE);
    assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    assert!(world.events.source(file.as_raw_fd()).is_none());
    // The current directory's name is a negative number that is no descriptor.
    let outcome = world.events.watch(rustix::fs::CWD, source("cwd"), Readiness::READABLE);
    assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::InvalidInput);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_descriptor_nobody_watches_has_no_interest_to_set() {
    let world = World::new();
    let (reader, _writer) = full_pipe();
    let outcome = world.events.set_interest(reader.as_fd(), Readiness::READABLE);
    assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::NotFound);
}

/// A loop whose next turn has an event for the source "old", and before it runs `act` as a task.
fn with_an_event_pending(
    act: impl FnOnce(&World, &mut OwnedFd) -> io::Result<()> + Send + 'static,
) -> World {
    let world = World::new();
    let (reader, writer) = full_pipe();
    let mut fd = OwnedFd::from(reader);
    world.events.watch(fd.as_fd(), source("old"), Readiness::READABLE).unwrap();
    world.events.wake(task("act", move |world| {
        act(world, &mut fd)?;
        // Lives as long as the loop.
        world.keep((fd, writer));
        Ok(())
    }));
    world
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn an_event_for_a_source_that_has_gone_is_dropped() {
    let world = with_an_event_pending(|world, fd| {
        world.events.unwatch(fd.as_fd());
        Ok(())
    });
    world.turn();
    assert_eq!(world.names(), ["act"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn an_event_is_not_told_to_the_successor_of_the_source_it_was_for() {
    let world = with_an_event_pending(|world, fd| {
        world.events.unwatch(fd.as_fd());
        world.events.watch(fd.as_fd(), source("new"), Readiness::READABLE)
    });
    world.turn();
    assert_eq!(world.names(), ["act"]);
    world.turn();
    assert_eq!(world.names(), ["new"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn an_event_is_not_told_when_its_descriptor_was_closed_and_opened_again() {
    let world = with_an_event_pending(|world, fd| {
        let (reader, writer) = pipe()?;
        world.events.unwatch(fd.as_fd());
        rustix::io::dup2(&reader, fd)?;
        world.keep((reader, writer));
        world.events.watch(fd.as_fd(), source("new"), Readiness::READABLE)
    });
    world.wake(["turn"]);
    world.turn();
    world.wake(["turn"]);
    world.turn();
    assert_eq!(world.names(), ["act", "turn", "turn"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn an_event_is_not_told_to_a_source_that_lost_interest() {
    for interest in [Readiness::NONE, Readiness::WRITABLE] {
        let world =
            with_an_event_pending(move |world, fd| world.events.set_interest(fd.as_fd(), interest));
        world.turn();
        assert_eq!(world.names(), ["act"]);
    }
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn an_event_is_not_told_to_a_source_that_lost_interest_and_took_it_again() {
    for meanwhile in [Readiness::NONE, Readiness::WRITABLE] {
        let world = with_an_event_pending(move |world, fd| {
            world.events.set_interest(fd.as_fd(), meanwhile)?;
            world.events.set_interest(fd.as_fd(), Readiness::BOTH)
        });
        world.turn();
        assert_eq!(world.names(), ["act"]);
        world.turn();
        assert_eq!(world.names(), ["old"]);
    }
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn an_event_is_told_to_a_source_that_takes_interest_in_more() {
    let world =
        with_an_event_pending(|world, fd| world.events.set_interest(fd.as_fd(), Readiness::BOTH));
    world.turn();
    assert_eq!(world.names(), ["act", "old"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_descriptor_may_be_closed_and_opened_again_under_its_source() {
    let world = World::new();
    let (reader, _writer) = pipe().unwrap();
    let (full, _full_writer) = full_pipe();
    let mut fd = OwnedFd::from(reader);
    world.events.watch(fd.as_fd(), source("heard"), Readiness::READABLE).unwrap();
    rustix::io::dup2(&full, &mut fd).unwrap();
    world.events.set_interest(fd.as_fd(), Readiness::BOTH).unwrap();
    world.turn();
    assert_eq!(world.names(), ["heard"]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_descriptor_closed_while_it_is_watched_can_be_unwatched_and_watched_again() {
    let world = World::new();
    let (reader, _writer) = pipe().unwrap();
    let (full, _full_writer) = full_pipe();
    let mut fd = OwnedFd::from(reader);
    world.events.watch(fd.as_fd(), source("old"), Readiness::READABLE).unwrap();
    rustix::io::dup2(&full, &mut fd).unwrap();
    assert_eq!(world.events.unwatch(fd.as_fd()).unwrap().name, "old");
    world.events.watch(fd.as_fd(), source("new"), Readiness::READABLE).unwrap();
    world.turn();
    assert_eq!(world.names(), ["new"]);
}
