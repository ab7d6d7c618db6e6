//! Waiting for descriptors: a non-blocking object and the tasks that wait until it is ready.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::rc::Rc;
use std::task::{Context, Poll};

use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

use super::awaited::Awaited;
use super::host::{self, Runtime};
use super::waiters::Waiters;
use crate::poller::Readiness;

/// A non-blocking I/O object whose operations can be awaited inside [`block_on`](super::block_on).
///
/// One task at a time may wait for each direction; a second one gets the error `ResourceBusy`.
///
/// # Examples
///
/// ```
/// use groundup::{block_on, runtime::Async, spawn};
/// use std::io::{Read, Write};
/// use std::os::unix::net::UnixStream;
///
/// let received = block_on(async {
///     let (one, other) = UnixStream::pair()?;
///     let (one, other) = (Async::new(one)?, Async::new(other)?);
///     let reader = spawn(async move {
///         let mut buffer = [0; 8];
///         let length = one.read_with(|mut one| one.read(&mut buffer)).await?;
///         std::io::Result::Ok(buffer[..length].to_vec())
///     });
///     other.write_with(|mut other| other.write(b"hello")).await?;
///     reader.await
/// });
/// assert_eq!(received?, b"hello");
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct Async<T: AsFd> {
    io: T,
    waiters: Rc<Waiters>,
}

impl<T: AsFd> Async<T> {
    /// Makes `io` non-blocking and enters it on this thread's loop.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` when something on this loop watches the descriptor, and what the system says
    /// to making it non-blocking.
    ///
    /// # Panics
    ///
    /// Outside [`block_on`](super::block_on).
    pub fn new(io: T) -> io::Result<Self> {
        let object = Self::watched(io)?;
        object.tell_of_opening(None);
        Ok(object)
    }

    fn watched(io: T) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&io, true)?;
        let waiters = Rc::new(Waiters::default());
        let runtime = host::expect_current();
        runtime.events.watch(io.as_fd(), waiters.clone(), Readiness::NONE)?;
        Ok(Self { io, waiters })
    }

    /// The I/O object.
    pub fn get_ref(&self) -> &T {
        &self.io
    }

    /// Runs a reading operation, again each time the object is readable, until it does not answer
    /// `WouldBlock`.
    ///
    /// # Errors
    ///
    /// Those of the operation; `ResourceBusy` when another task waits for the same direction.
    pub async fn read_with<R>(&self, operation: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        self.attempt(Readiness::READABLE, operation).await
    }

    /// Runs a writing operation, again each time the object is writable, until it does not answer
    /// `WouldBlock`.
    ///
    /// # Errors
    ///
    /// Those of the operation; `ResourceBusy` when another task waits for the same direction.
    pub async fn write_with<R>(&self, operation: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        self.attempt(Readiness::WRITABLE, operation).await
    }

    /// Waits until the object is writable.
    ///
    /// # Errors
    ///
    /// Those of the poller.
    pub async fn writable(&self) -> io::Result<()> {
        let mut waited = false;
        self.write_with(|_| {
            if std::mem::replace(&mut waited, true) {
                Ok(())
            } else {
                Err(io::ErrorKind::WouldBlock.into())
            }
        })
        .await
    }

    async fn attempt<R>(
        &self,
        direction: Readiness,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        let turn = Turn { object: self, direction, waits: Cell::new(false) };
        poll_fn(|context| match operation(&self.io) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => match turn.wait(context) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            },
            outcome => Poll::Ready(outcome),
        })
        .await
    }

    fn watch_waiters(&self, runtime: &Runtime) -> io::Result<()> {
        if !self.is_watched(runtime) {
            return Err(io::ErrorKind::NotFound.into());
        }
        runtime.events.set_interest(self.io.as_fd(), self.waiters.interest())
    }

    /// Whether it was entered on this loop, which may be another one by now.
    fn is_watched(&self, runtime: &Runtime) -> bool {
        let watching = runtime.events.source(self.io.as_fd().as_raw_fd());
        watching.is_some_and(|waiters| Rc::ptr_eq(&waiters, &self.waiters))
    }
}

/// The time that one operation takes, also if it is dropped midway: nobody waits when it is over.
struct Turn<'a, T: AsFd> {
    object: &'a Async<T>,
    direction: Readiness,
    waits: Cell<bool>,
}

impl<T: AsFd> Turn<'_, T> {
    fn wait(&self, context: &mut Context<'_>) -> io::Result<()> {
        let waiters = &self.object.waiters;
        if !self.waits.get() {
            if !(waiters.taken.get() & self.direction).is_none() {
                let why = "another task waits for this direction";
                return Err(io::Error::new(io::ErrorKind::ResourceBusy, why));
            }
            waiters.taken.set(waiters.taken.get() | self.direction);
            self.waits.set(true);
        }
        drop(waiters.slot(self.direction).replace(Some(context.waker().clone())));
        let wait = |runtime: &Rc<Runtime>| {
            runtime.tell(|witness| witness.awaits(self.awaited()));
            self.object.watch_waiters(runtime)
        };
        host::with_current(wait).expect(host::OUTSIDE)
    }

    fn awaited(&self) -> Awaited {
        let descriptor = self.object.io.as_fd().as_raw_fd();
        match self.direction.readable() {
            true => Awaited::Readable(descriptor),
            false => Awaited::Writable(descriptor),
        }
    }
}

impl<T: AsFd> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        if !self.waits.get() {
            return;
        }
        let waiters = &self.object.waiters;
        waiters.taken.set(waiters.taken.get().without(self.direction));
        drop(waiters.slot(self.direction).take());
        host::with_current(|runtime| {
            runtime.tell(|witness| witness.no_longer_awaits(self.awaited()));
            // To hear of less fails only where the descriptor is gone already.
            let _ = self.object.watch_waiters(runtime);
        });
    }
}

impl Async<TcpStream> {
    /// Connects to a TCP address.
    ///
    /// # Errors
    ///
    /// Those of `connect`: refused, unreachable, timed out.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket: OwnedFd = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
        let stream = Self::watched(TcpStream::from(socket))?;
        stream.tell_of_opening(Some(address));
        match rustix::net::connect(&stream.io, &address) {
            Ok(()) => return Ok(stream),
            Err(rustix::io::Errno::INPROGRESS) => stream.writable().await?,
            Err(error) => return Err(error.into()),
        }
        sockopt::socket_error(&stream.io)??;
        Ok(stream)
    }
}

impl<T: AsFd> Drop for Async<T> {
    fn drop(&mut self) {
        if let Some(runtime) = host::current().filter(|runtime| self.is_watched(runtime)) {
            runtime.tell(|witness| witness.close(self.io.as_fd().as_raw_fd()));
            runtime.events.unwatch(self.io.as_fd());
        }
    }
}
