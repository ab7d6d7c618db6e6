//! One connection of a load: it sends a request, takes the reply, and knows how long that took.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use crate::stream::Stream;

/// What every connection says, and what it is to be answered.
pub struct Talk {
    pub request: Vec<u8>,
    /// The length of the reply, in bytes.
    pub reply: usize,
    /// Whether the reply is the request.
    pub echo: bool,
}

/// A connection, and how far its request has come.
pub struct Client {
    pub stream: Stream,
    began: Option<Instant>,
    sent: usize,
    received: usize,
}

impl Client {
    pub fn new(stream: Stream) -> Self {
        Self { stream, began: None, sent: 0, received: 0 }
    }

    /// Begins the next request, which was wanted at `began`.
    pub fn begin(&mut self, began: Instant) {
        (self.began, self.sent, self.received) = (Some(began), 0, 0);
    }

    /// Goes on as far as the kernel lets it; gives the time the request took when its reply is whole.
    pub fn advance(&mut self, talk: &Talk, buffer: &mut [u8]) -> io::Result<Option<Duration>> {
        let Some(began) = self.began else { return Ok(None) };
        let at_once = self.sent == 0;
        self.send(talk)?;
        // What goes out in one piece cannot have been answered yet: the reply will be reported.
        if (at_once && self.sent == talk.request.len()) || !self.receive(talk, buffer)? {
            return Ok(None);
        }
        self.began = None;
        Ok(Some(began.elapsed()))
    }

    fn send(&mut self, talk: &Talk) -> io::Result<()> {
        while self.sent < talk.request.len() {
            match self.stream.write(&talk.request[self.sent..]) {
                Ok(0) => break,
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.stream.push()
    }

    /// Whether the reply is whole.
    fn receive(&mut self, talk: &Talk, buffer: &mut [u8]) -> io::Result<bool> {
        while self.received < talk.reply {
            match self.stream.read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.take(talk, &buffer[..count])?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// The first byte of each piece is looked at, which costs nothing and finds what is out of step.
    fn take(&mut self, talk: &Talk, piece: &[u8]) -> io::Result<()> {
        let wrong = talk.echo && talk.request.get(self.received) != Some(&piece[0]);
        self.received += piece.len();
        if wrong || self.received > talk.reply {
            return Err(io::Error::other("the reply is not what was to be sent back"));
        }
        Ok(())
    }
}
