//! One accepted connection: it reads, answers, and keeps what the kernel does not take.

use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use crate::kernel::Epoll;

const END_OF_HEAD: &[u8] = b"\r\n\r\n";

pub struct Connection {
    fd: OwnedFd,
    /// What could not be sent; while there is some, nothing is read.
    left: Vec<u8>,
}

impl Connection {
    pub fn new(fd: OwnedFd) -> Self {
        Self { fd, left: Vec::new() }
    }

    /// Sends what is left, or reads once and answers. An error, of which the end is one, ends it.
    pub fn advance(
        &mut self,
        epoll: &Epoll,
        key: usize,
        response: Option<&[u8]>,
        buffer: &mut [u8],
    ) -> io::Result<()> {
        if !self.left.is_empty() {
            return self.go_on_sending(epoll, key);
        }
        let (count, _) = match recv(&self.fd, &mut *buffer, RecvFlags::empty()) {
            Err(Errno::AGAIN) => return Ok(()),
            received => received?,
        };
        match (count, response) {
            (0, _) => Err(io::ErrorKind::UnexpectedEof.into()),
            (_, None) => self.send(epoll, key, &buffer[..count]),
            // A request without a body ends with its head, and clients here send it in one piece.
            (_, Some(response)) if buffer[..count].ends_with(END_OF_HEAD) => {
                self.send(epoll, key, response)
            }
            (_, Some(_)) => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn send(&mut self, epoll: &Epoll, key: usize, bytes: &[u8]) -> io::Result<()> {
        let count = self.try_send(bytes)?;
        if count < bytes.len() {
            self.left.extend_from_slice(&bytes[count..]);
            epoll.change(&self.fd, key, false, true)?;
        }
        Ok(())
    }

    fn go_on_sending(&mut self, epoll: &Epoll, key: usize) -> io::Result<()> {
        let count = self.try_send(&self.left)?;
        self.left.drain(..count);
        if self.left.is_empty() {
            epoll.change(&self.fd, key, true, false)?;
        }
        Ok(())
    }

    fn try_send(&self, bytes: &[u8]) -> io::Result<usize> {
        match send(&self.fd, bytes, SendFlags::NOSIGNAL) {
            Err(Errno::AGAIN) => Ok(0),
            sent => Ok(sent?),
        }
    }
}
