//! Downloads a URL with callbacks: each step is told what to call when it is done.
//!
//! The program reads inside out, and each callback has to carry along what the next ones need; that
//! is what generators and `async` spare us.

mod http;

use std::cell::Cell;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::rc::Rc;

use groundup::event_loop::{EventLoop, Host};
use groundup::poller::Readiness;
use groundup::recorder::TaskId;
use http::Target;

type Loop = EventLoop<Callbacks>;
type Callback = Box<dyn FnOnce(&Loop) -> io::Result<()>>;

/// Callbacks as the host of an event loop.
struct Callbacks;

impl Host for Callbacks {
    type Task = Callback;
    type Source = Rc<Cell<Option<Callback>>>;
    type Error = io::Error;
    type Scope<'a> = &'a Loop;

    fn task_id(callback: &Callback) -> TaskId {
        TaskId((&raw const **callback).addr() as u64)
    }

    fn resume(events: &Loop, callback: Callback) -> io::Result<()> {
        callback(events)
    }

    fn dispatch(events: &Loop, source: Self::Source, _: Readiness) -> io::Result<()> {
        source.take().map_or(Ok(()), |callback| callback(events))
    }
}

/// Calls back once, when the stream is ready.
fn when_ready(
    events: &Loop,
    stream: Rc<TcpStream>,
    direction: Readiness,
    callback: impl FnOnce(&Loop, Rc<TcpStream>) -> io::Result<()> + 'static,
) -> io::Result<()> {
    let watched = stream.clone();
    let once: Callback = Box::new(move |events| {
        events.unwatch(stream.as_fd());
        callback(events, stream)
    });
    events.watch(watched.as_fd(), Rc::new(Cell::new(Some(once))), direction)
}

fn wget(
    events: &Loop,
    target: Target,
    callback: impl FnOnce(&Loop, Vec<u8>) -> io::Result<()> + 'static,
) -> io::Result<()> {
    connect(events, target.address, move |events, stream| {
        send(events, stream, target.request(), move |events, stream| {
            receive(events, stream, Vec::new(), callback)
        })
    })
}

fn connect(
    events: &Loop,
    address: SocketAddr,
    callback: impl FnOnce(&Loop, Rc<TcpStream>) -> io::Result<()> + 'static,
) -> io::Result<()> {
    let stream = Rc::new(http::connect(address)?);
    when_ready(events, stream, Readiness::WRITABLE, move |events, stream| {
        stream.take_error()?.map_or(Ok(()), Err)?;
        callback(events, stream)
    })
}

fn send(
    events: &Loop,
    stream: Rc<TcpStream>,
    mut request: Vec<u8>,
    callback: impl FnOnce(&Loop, Rc<TcpStream>) -> io::Result<()> + 'static,
) -> io::Result<()> {
    if request.is_empty() {
        return callback(events, stream);
    }
    when_ready(events, stream, Readiness::WRITABLE, move |events, stream| {
        let sent = (&*stream).write(&request)?;
        request.drain(..sent);
        send(events, stream, request, callback)
    })
}

fn receive(
    events: &Loop,
    stream: Rc<TcpStream>,
    mut response: Vec<u8>,
    callback: impl FnOnce(&Loop, Vec<u8>) -> io::Result<()> + 'static,
) -> io::Result<()> {
    when_ready(events, stream, Readiness::READABLE, move |events, stream| {
        match http::read(&stream, &mut response)? {
            0 => callback(events, response),
            _ => receive(events, stream, response, callback),
        }
    })
}

fn main() -> io::Result<()> {
    let events = Loop::new()?;
    wget(&events, Target::from_arguments()?, |events, response| {
        events.stop();
        io::stdout().write_all(http::body(&response)?)
    })?;
    events.run(&events)
}
