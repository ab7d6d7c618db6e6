//! Sends each datagram back to where it came from.

use std::io;
use std::net::UdpSocket;

use super::{CONTROL, LISTENER, obey};
use crate::kernel::Epoll;

const LONGEST: usize = 1 << 16;

/// Serves until the input ends.
pub fn serve(epoll: &Epoll, socket: &UdpSocket) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    epoll.watch_readable(socket, LISTENER)?;
    let (mut keys, mut buffer) = (Vec::new(), vec![0; LONGEST]);
    loop {
        epoll.wait(None, &mut keys)?;
        for &key in &keys {
            if key == CONTROL {
                if !obey()? {
                    return Ok(());
                }
            } else {
                let (count, from) = socket.recv_from(&mut buffer)?;
                socket.send_to(&buffer[..count], from)?;
            }
        }
    }
}
