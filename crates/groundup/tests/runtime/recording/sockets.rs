//! Sockets: who waits for them, and what comes and goes.

use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use groundup::runtime::Async;
use groundup::weave::Socket;
use groundup::{block_on, sleep, spawn, yield_now};

use super::{Scratch, Told, told_of};
use crate::race;

async fn echo(listener: Async<TcpListener>) -> io::Result<()> {
    let (stream, _) = listener.read_with(TcpListener::accept).await?;
    let (stream, mut buffer) = (Async::new(stream)?, [0; 64]);
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            length => stream.write_all(&buffer[..length]).await?,
        }
    }
}

/// A stream that takes no bytes.
struct Full(UnixStream);

impl AsFd for Full {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Write for &Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Ok(0)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is told of a socket: kind, peer, and the bytes that came and went.
fn told_of_socket(told: &Told, socket: &Socket) -> String {
    let [kind, peer] = [socket.kind, socket.peer].map(|it| told.recording.name(it));
    let bytes = socket.transfers.iter().map(|it| match it.came {
        true => format!("+{}", it.bytes),
        false => format!("-{}", it.bytes),
    });
    let bytes = bytes.collect::<Vec<_>>().join(" ");
    let closed = if socket.closed.is_some() { "closed" } else { "open" };
    format!("{kind} {peer}: {bytes}, {closed}")
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn an_echo_over_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut port = 0;
    let told = told_of(async {
        let server = spawn(echo(Async::new(listener).unwrap())).named("server");
        let client = Async::<TcpStream>::connect(address).await.unwrap();
        port = client.get_ref().local_addr().unwrap().port();
        let mut buffer = [0; 64];
        for text in [&b"hello"[..], b"world!"] {
            client.write_all(text).await.unwrap();
            assert_eq!(client.read(&mut buffer).await.unwrap(), text.len());
        }
        drop(client);
        server.await.unwrap();
    });
    let expected = [
        "TcpListener : , closed".to_owned(),
        format!("TcpStream {address}: -5 +5 -6 +6, closed"),
        format!("TcpStream 127.0.0.1:{port}: +5 -5 +6 -6 +0, closed"),
    ];
    let sockets = told.weave.sockets.iter().map(|it| told_of_socket(&told, it));
    assert_eq!(sockets.collect::<Vec<_>>(), expected);
    assert_eq!(told.tasks(), ["Task-1: returned", "server of Task-1: returned"]);
    let woken = told.steps().iter().filter(|it| *it == "server by socket").count();
    assert!(woken >= 2, "{:?}", told.steps());
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn who_waits_for_a_socket_says_which_and_for_what() {
    let (one, other) = UnixStream::pair().unwrap();
    let descriptor = other.as_raw_fd();
    let told = told_of(async {
        let (one, other) = (Async::new(one).unwrap(), Async::new(other).unwrap());
        let reader = spawn(async move { other.read(&mut [0; 8]).await.unwrap() }).named("reader");
        yield_now().await;
        one.write(b"hello").await.unwrap();
        assert_eq!(reader.await, 5);
    });
    let expected =
        [format!("reader for socket {descriptor} readable"), "Task-1 for task reader".into()];
    assert_eq!(told.waits(), expected);
    let expected = [
        "Task-1 by Unknown",
        "reader by Task-1",
        "Task-1 by Task-1",
        "socket by Poll",
        "reader by socket",
        "Task-1 by reader",
    ];
    assert_eq!(told.steps(), expected);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn who_waits_for_both_directions_of_a_socket_says_both() {
    let (one, _other) = UnixStream::pair().unwrap();
    let descriptor = one.as_raw_fd();
    let told = told_of(async {
        let one = Async::new(one).unwrap();
        let read = async { one.read(&mut [0; 1]).await };
        let write = async { one.write_all(&vec![0; 8 << 20]).await.map(|()| 0) };
        let soon = async {
            sleep(Duration::from_millis(1)).await;
            Ok(0)
        };
        race(race(read, write), soon).await.unwrap();
    });
    let expected =
        format!("Task-1 for socket {descriptor} readable, socket {descriptor} writable, timer");
    assert_eq!(told.waits(), [expected]);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_write_that_takes_no_more_is_an_error() {
    let (one, _other) = UnixStream::pair().unwrap();
    let error = block_on(async { Async::new(Full(one))?.write_all(b"x").await }).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WriteZero);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn what_was_opened_before_the_recording_is_known_by_what_it_transfers() {
    let scratch = Scratch::new();
    let (one, other) = UnixStream::pair().unwrap();
    block_on(async {
        let one = Async::new(one).unwrap();
        let tape = scratch.record();
        one.write_all(b"hello").await.unwrap();
        tape.finish().unwrap();
    });
    drop(other);
    let told = scratch.read();
    assert_eq!(told_of_socket(&told, &told.weave.sockets[0]), " : -5, open");
}
