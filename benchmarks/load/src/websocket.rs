//! As much of WebSocket (RFC 6455) as a load needs: the opening, and frames of one known length.

use std::io::{self, Read, Write};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};

use crate::stream::Stream;

const OPENING: &[u8] =
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A binary message in a client's frame. The mask is of zeros, which leaves the message as it is.
pub fn frame(message: &[u8]) -> Vec<u8> {
    let mut frame = header(message.len(), 0x80);
    frame.extend([0; 4]);
    frame.extend(message);
    frame
}

/// The length of the server's frame with a message of this length.
pub fn reply_length(message: usize) -> usize {
    header(message, 0).len() + message
}

fn header(length: usize, masked: u8) -> Vec<u8> {
    let mut header = vec![0x82];
    match length {
        0..126 => header.push(masked | length as u8),
        126..65536 => {
            header.push(masked | 126);
            header.extend((length as u16).to_be_bytes());
        }
        _ => {
            header.push(masked | 127);
            header.extend((length as u64).to_be_bytes());
        }
    }
    header
}

/// Goes through the opening, and waits for its end.
pub fn open(stream: &mut Stream) -> io::Result<()> {
    stream.write_all(OPENING)?;
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => answer.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait_readable(stream)?,
            Err(error) => return Err(error),
        }
    }
    if !answer.starts_with(b"HTTP/1.1 101 ") {
        return Err(io::Error::other(String::from_utf8_lossy(&answer).into_owned()));
    }
    Ok(())
}

fn wait_readable(stream: &Stream) -> io::Result<()> {
    let limit = Duration::from_secs(10).try_into().map_err(io::Error::other)?;
    match poll(&mut [PollFd::new(stream, PollFlags::IN)], Some(&limit))? {
        0 => Err(io::ErrorKind::TimedOut.into()),
        _ => Ok(()),
    }
}
