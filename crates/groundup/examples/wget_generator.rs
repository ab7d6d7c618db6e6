//! Downloads a URL with generators: each yields what it waits for, and delegates with `yield_from`.
//!
//! The host of the event loop below is all there is to it: it resumes a generator, watches the
//! stream that the generator yielded, and resumes it again when that is ready.

mod http;

use std::cell::Cell;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::rc::Rc;

use groundup::event_loop::{EventLoop, Host};
use groundup::generator::{Yielder, generator};
use groundup::poller::Readiness;
use groundup::recorder::TaskId;
use groundup::{Coroutine, Step};
use http::Target;

type Loop = EventLoop<Generators>;

/// What a generator yields: resume me when this stream is ready.
struct Wait(Rc<TcpStream>, Readiness);

/// The outermost generator, which the others delegate to.
type Task = Pin<Box<dyn Coroutine<Yield = Wait, Return = io::Result<()>>>>;

/// Generators as the host of an event loop.
struct Generators;

impl Host for Generators {
    type Task = Task;
    type Source = Rc<Cell<Option<(Task, Rc<TcpStream>)>>>;
    type Error = io::Error;
    type Scope<'a> = &'a Loop;

    fn task_id(task: &Task) -> TaskId {
        TaskId((&raw const **task).addr() as u64)
    }

    fn resume(events: &Loop, mut task: Task) -> io::Result<()> {
        match task.as_mut().resume(()) {
            Step::Yielded(Wait(stream, direction)) => {
                let source = Rc::new(Cell::new(Some((task, stream.clone()))));
                events.watch(stream.as_fd(), source, direction)
            }
            Step::Returned(outcome) => {
                events.stop();
                outcome
            }
        }
    }

    fn dispatch(events: &Loop, source: Self::Source, _: Readiness) -> io::Result<()> {
        if let Some((task, stream)) = source.take() {
            events.unwatch(stream.as_fd());
            events.wake(task);
        }
        Ok(())
    }
}

fn wget(target: Target) -> impl Coroutine<Yield = Wait, Return = io::Result<Vec<u8>>> {
    generator(async move |yielder: Yielder<Wait>| {
        let stream = yielder.yield_from(connect(target.address)).await?;
        yielder.yield_from(send(stream.clone(), target.request())).await?;
        yielder.yield_from(receive(stream)).await
    })
}

fn connect(
    address: SocketAddr,
) -> impl Coroutine<Yield = Wait, Return = io::Result<Rc<TcpStream>>> {
    generator(async move |yielder: Yielder<Wait>| {
        let stream = Rc::new(http::connect(address)?);
        yielder.yield_(Wait(stream.clone(), Readiness::WRITABLE)).await;
        stream.take_error()?.map_or(Ok(stream), Err)
    })
}

fn send(
    stream: Rc<TcpStream>,
    request: Vec<u8>,
) -> impl Coroutine<Yield = Wait, Return = io::Result<()>> {
    generator(async move |yielder: Yielder<Wait>| {
        let mut unsent = &request[..];
        while !unsent.is_empty() {
            yielder.yield_(Wait(stream.clone(), Readiness::WRITABLE)).await;
            unsent = &unsent[(&*stream).write(unsent)?..];
        }
        Ok(())
    })
}

fn receive(stream: Rc<TcpStream>) -> impl Coroutine<Yield = Wait, Return = io::Result<Vec<u8>>> {
    generator(async move |yielder: Yielder<Wait>| {
        let mut response = Vec::new();
        loop {
            yielder.yield_(Wait(stream.clone(), Readiness::READABLE)).await;
            if http::read(&stream, &mut response)? == 0 {
                return Ok(response);
            }
        }
    })
}

fn print(target: Target) -> impl Coroutine<Yield = Wait, Return = io::Result<()>> {
    generator(async move |yielder: Yielder<Wait>| {
        let response = yielder.yield_from(wget(target)).await?;
        io::stdout().write_all(http::body(&response)?)
    })
}

fn main() -> io::Result<()> {
    let events = Loop::new()?;
    events.wake(Box::pin(print(Target::from_arguments()?)));
    events.run(&events)
}
