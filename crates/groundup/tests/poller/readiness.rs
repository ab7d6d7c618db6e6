//! What is ready, and who is told.

use std::fs::File;
use std::io::{self, Read, Write, pipe};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

use groundup::poller::{Event, Poller, Readiness, Token};

use super::*;

pub fn a_direction_that_stays_ready_is_reported_by_every_poll(poller: impl Poller) {
    let (mut reader, mut writer) = pipe().unwrap();
    add(&poller, &reader, Readiness::READABLE);
    assert_eq!(ready(&poller), []);
    writer.write_all(b"ab").unwrap();
    for _ in 0..3 {
        assert_eq!(ready(&poller), [event(&reader, Readiness::READABLE)]);
    }
    reader.read_exact(&mut [0; 1]).unwrap();
    assert_eq!(ready(&poller), [event(&reader, Readiness::READABLE)]);
    reader.read_exact(&mut [0; 1]).unwrap();
    assert_eq!(ready(&poller), []);
}

pub fn an_edge_is_reported_once_and_again_when_more_comes(poller: impl Poller) {
    let (reader, mut writer) = full_pipe();
    add(&poller, &reader, Readiness::READABLE | Readiness::EDGE);
    assert_eq!(ready(&poller), [event(&reader, Readiness::READABLE)]);
    assert_eq!(ready(&poller), []);
    writer.write_all(b"y").unwrap();
    assert_eq!(ready(&poller), [event(&reader, Readiness::READABLE)]);
    assert_eq!(ready(&poller), []);
}

pub fn an_interest_modified_to_an_edge_is_reported_anew(poller: impl Poller) {
    let (reader, _writer) = full_pipe();
    let edge = Readiness::READABLE | Readiness::EDGE;
    add(&poller, &reader, edge);
    assert_eq!(ready(&poller), [event(&reader, Readiness::READABLE)]);
    poller.modify(reader.as_fd(), token_of(&reader), edge).unwrap();
    assert_eq!(ready(&poller), [event(&reader, Readiness::READABLE)]);
    poller.modify(reader.as_fd(), token_of(&reader), Readiness::READABLE).unwrap();
    assert_eq!(ready(&poller), ready(&poller));
}

pub fn only_the_directions_of_interest_are_reported(poller: impl Poller) {
    let (one, mut other) = UnixStream::pair().unwrap();
    other.write_all(b"x").unwrap();
    add(&poller, &one, Readiness::READABLE);
    assert_eq!(ready(&poller), [event(&one, Readiness::READABLE)]);
    poller.remove(one.as_fd()).unwrap();
    add(&poller, &one, Readiness::WRITABLE);
    assert_eq!(ready(&poller), [event(&one, Readiness::WRITABLE)]);
}

pub fn both_directions_come_in_one_event(poller: impl Poller) {
    let (one, mut other) = UnixStream::pair().unwrap();
    add(&poller, &one, Readiness::BOTH);
    assert_eq!(ready(&poller), [event(&one, Readiness::WRITABLE)]);
    other.write_all(b"x").unwrap();
    assert_eq!(ready(&poller), [event(&one, Readiness::BOTH)]);
}

pub fn a_modified_interest_replaces_the_old_one(poller: impl Poller) {
    let (one, _other) = UnixStream::pair().unwrap();
    add(&poller, &one, Readiness::READABLE);
    assert_eq!(ready(&poller), []);
    let token = Token { descriptor: one.as_raw_fd(), generation: 8 };
    poller.modify(one.as_fd(), token, Readiness::WRITABLE).unwrap();
    assert_eq!(ready(&poller), [Event { token, readiness: Readiness::WRITABLE }]);
    poller.modify(one.as_fd(), token, Readiness::READABLE).unwrap();
    assert_eq!(ready(&poller), []);
}

pub fn a_removed_descriptor_is_not_reported(poller: impl Poller) {
    let (reader, _writer) = full_pipe();
    add(&poller, &reader, Readiness::READABLE);
    poller.remove(reader.as_fd()).unwrap();
    assert_eq!(ready(&poller), []);
    add(&poller, &reader, Readiness::READABLE);
    assert_eq!(ready(&poller), [event(&reader, Readiness::READABLE)]);
}

pub fn a_descriptor_is_watched_once(poller: impl Poller) {
    let (reader, _writer) = full_pipe();
    add(&poller, &reader, Readiness::READABLE);
    let other_token = Token { descriptor: reader.as_raw_fd(), generation: 8 };
    let outcome = poller.add(reader.as_fd(), other_token, Readiness::READABLE);
    assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(ready(&poller), [event(&reader, Readiness::READABLE)]);
}

pub fn what_is_not_watched_is_not_found(poller: impl Poller) {
    let (reader, _writer) = full_pipe();
    let outcome = poller.modify(reader.as_fd(), token_of(&reader), Readiness::READABLE);
    assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::NotFound);
    let outcome = poller.remove(reader.as_fd());
    assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::NotFound);
}

pub fn a_regular_file_cannot_be_polled(poller: impl Poller) {
    let file = File::open("Cargo.toml").unwrap();
    let outcome = poller.add(file.as_fd(), token_of(&file), Readiness::READABLE);
    let eperm = rustix::io::Errno::PERM.raw_os_error();
    assert_eq!(outcome.unwrap_err().raw_os_error(), Some(eperm));
}

pub fn a_token_is_carried_exactly(poller: impl Poller) {
    let (reader, _writer) = full_pipe();
    poller.add(reader.as_fd(), token_of(&reader), Readiness::READABLE).unwrap();
    for generation in [0, 1, i32::MAX as u32, 1 << 31, u32::MAX - 1, u32::MAX] {
        for descriptor in [0, reader.as_raw_fd(), RawFd::MAX] {
            let token = Token { descriptor, generation };
            poller.modify(reader.as_fd(), token, Readiness::READABLE).unwrap();
            assert_eq!(ready(&poller), [Event { token, readiness: Readiness::READABLE }]);
        }
    }
}

pub fn a_hang_up_counts_as_both_directions(poller: impl Poller) {
    let (reader, writer) = pipe().unwrap();
    let (one, other) = UnixStream::pair().unwrap();
    drop((writer, other));
    add(&poller, &reader, Readiness::READABLE);
    assert_eq!(ready(&poller), [event(&reader, Readiness::BOTH)]);
    poller.remove(reader.as_fd()).unwrap();
    add(&poller, &one, Readiness::WRITABLE);
    assert_eq!(ready(&poller), [event(&one, Readiness::BOTH)]);
}

pub fn an_error_counts_as_both_directions(poller: impl Poller) {
    let (reader, writer) = pipe().unwrap();
    // Full, so that only the error can be what is reported.
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    while (&writer).write(&[0; 4096]).is_ok() {}
    add(&poller, &writer, Readiness::WRITABLE);
    assert_eq!(ready(&poller), []);
    drop(reader);
    assert_eq!(ready(&poller), [event(&writer, Readiness::BOTH)]);
}

pub fn a_half_close_is_readable_only(poller: impl Poller) {
    let (one, other) = UnixStream::pair().unwrap();
    add(&poller, &one, Readiness::READABLE);
    assert_eq!(ready(&poller), []);
    other.shutdown(Shutdown::Write).unwrap();
    assert_eq!(ready(&poller), [event(&one, Readiness::READABLE)]);
}

pub fn events_are_added_to_those_there_are(poller: impl Poller) {
    let (reader, _writer) = full_pipe();
    add(&poller, &reader, Readiness::READABLE);
    let mut events = Vec::new();
    poller.poll(None, &mut events).unwrap();
    poller.poll(None, &mut events).unwrap();
    assert_eq!(events, [event(&reader, Readiness::READABLE); 2]);
}

pub fn many_descriptors_are_all_reported(poller: impl Poller) {
    let (reader, _writer) = full_pipe();
    let readers: Vec<OwnedFd> =
        (0..300).map(|_| reader.as_fd().try_clone_to_owned().unwrap()).collect();
    for reader in &readers {
        add(&poller, reader, Readiness::READABLE);
    }
    let mut missing: Vec<Event> =
        readers.iter().map(|reader| event(reader, Readiness::READABLE)).collect();
    // A driver may take them in batches, but it must not begin with the same ones each time.
    for _ in 0..10 {
        let events = ready(&poller);
        missing.retain(|event| !events.contains(event));
    }
    assert_eq!(missing, []);
}

pub fn a_closed_descriptor_leaves_by_itself(poller: impl Poller) {
    let (reader, _writer) = full_pipe();
    add(&poller, &reader, Readiness::READABLE);
    drop(reader);
    assert_eq!(ready(&poller), []);
    // Most likely under the same number.
    let (reader, _writer) = full_pipe();
    add(&poller, &reader, Readiness::READABLE);
    assert_eq!(ready(&poller), [event(&reader, Readiness::READABLE)]);
}
