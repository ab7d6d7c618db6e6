//! Accepts connections, and lets each of them answer.

use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;

use rustix::net::{SocketFlags, accept_with, listen};
use slab::Slab;

use super::connection::Connection;
use super::{CONNECTIONS, CONTROL, LISTENER, obey};
use crate::kernel::Epoll;

/// As asyncio's servers have it.
const BACKLOG: i32 = 100;
const BUFFER: usize = 1 << 18;

pub enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    fn accept(&self) -> io::Result<OwnedFd> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        Ok(match self {
            Self::Tcp(listener) => {
                let fd = accept_with(listener, flags)?;
                rustix::net::sockopt::set_tcp_nodelay(&fd, true)?;
                fd
            }
            Self::Unix(listener) => accept_with(listener, flags)?,
        })
    }

    fn listen(&self, epoll: &Epoll) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => {
                listen(listener, BACKLOG)?;
                epoll.watch_readable(listener, LISTENER)
            }
            Self::Unix(listener) => {
                listen(listener, BACKLOG)?;
                epoll.watch_readable(listener, LISTENER)
            }
        }
    }
}

/// Serves until the input ends. Without a response, what came is sent back.
pub fn serve(epoll: &Epoll, listener: &Listener, response: Option<&[u8]>) -> io::Result<()> {
    listener.listen(epoll)?;
    let (mut connections, mut keys) = (Slab::new(), Vec::new());
    let mut buffer = vec![0; BUFFER];
    loop {
        epoll.wait(None, &mut keys)?;
        for &key in &keys {
            match key {
                CONTROL if !obey()? => return Ok(()),
                CONTROL => {}
                LISTENER => {
                    let entry = connections.vacant_entry();
                    let fd = listener.accept()?;
                    epoll.watch_readable(&fd, CONNECTIONS + entry.key())?;
                    entry.insert(Connection::new(fd));
                }
                _ => {
                    let connection: &mut Connection = &mut connections[key - CONNECTIONS];
                    if connection.advance(epoll, key, response, &mut buffer).is_err() {
                        connections.remove(key - CONNECTIONS);
                    }
                }
            }
        }
    }
}
