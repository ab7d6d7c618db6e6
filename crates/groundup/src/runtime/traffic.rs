//! Bytes that come and go through an [`Async`], and what a recording says of them.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};

use rustix::net::{SocketAddrAny, SocketAddrUnix};

use super::async_io::Async;
use super::host;
use super::origin::short_name;
use super::witness::Witness;
use crate::recorder::Verb;

impl<T: AsFd> Async<T>
where
    for<'a> &'a T: Read,
{
    /// Reads what has come, at most as much as the buffer holds, and waits if nothing has; returns
    /// how many bytes. None at the end of a stream.
    ///
    /// # Errors
    ///
    /// Those of [`Read::read`]; `ResourceBusy` when another task waits to read.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_with(|mut io| self.transfer(Verb::Read, || io.read(buffer))).await
    }
}

impl<T: AsFd> Async<T>
where
    for<'a> &'a T: Write,
{
    /// Writes as many of these bytes as there is room for now, and waits if there is none; returns
    /// how many.
    ///
    /// # Errors
    ///
    /// Those of [`Write::write`]; `ResourceBusy` when another task waits to write.
    pub async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.write_with(|mut io| self.transfer(Verb::Write, || io.write(bytes))).await
    }

    /// Writes all of these bytes.
    ///
    /// # Errors
    ///
    /// Those of [`Async::write`]; `WriteZero` when nothing is written any more.
    pub async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write(bytes).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                length => bytes = &bytes[length..],
            }
        }
        Ok(())
    }
}

impl<T: AsFd> Async<T> {
    /// Reads or writes, and tells how much that was and how long it took.
    fn transfer(
        &self,
        verb: Verb,
        operation: impl FnOnce() -> io::Result<usize>,
    ) -> io::Result<usize> {
        let Some(witness) = host::witness() else { return operation() };
        let began = witness.now();
        let outcome = operation();
        if let Ok(bytes) = outcome {
            witness.transfer(verb, self.get_ref().as_fd().as_raw_fd(), bytes, began);
        }
        outcome
    }

    /// Tells that the object has come to this loop; `peer` if that is not connected yet.
    pub(super) fn tell_of_opening(&self, peer: Option<SocketAddr>) {
        let tell = |witness: &Witness| {
            let io = self.get_ref();
            let peer = peer.map(Into::into).or_else(|| rustix::net::getpeername(io).ok().flatten());
            let peer = peer.map_or_else(String::new, text);
            witness.open(io.as_fd().as_raw_fd(), short_name::<T>(), peer);
        };
        host::expect_current().tell(tell);
    }
}

/// An address as people write it; empty if it has no name.
fn text(address: SocketAddrAny) -> String {
    if let Ok(address) = SocketAddr::try_from(address.clone()) {
        return address.to_string();
    }
    let unix = SocketAddrUnix::try_from(address).ok();
    let path = unix.as_ref().and_then(SocketAddrUnix::path);
    path.map_or_else(String::new, |path| path.to_string_lossy().into_owned())
}
