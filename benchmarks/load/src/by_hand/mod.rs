//! Servers without any framework: what the kernel costs, and so the limit for every event loop.
//!
//! They keep to the same rules as the loops they stand beside: one thread, level-triggered epoll, one read
//! for each report, an answer at once.

mod connection;
mod datagrams;
mod listener;

use std::io;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::kernel::{Epoll, Usage};
use crate::report::{hear, say};
use listener::Listener;

/// The keys in epoll of what is not a connection; connections have those from `CONNECTIONS` on.
const CONTROL: usize = 0;
const LISTENER: usize = 1;
const CONNECTIONS: usize = 2;

/// How to serve by hand.
#[derive(Args, Debug)]
pub struct Serve {
    /// What to answer
    #[arg(long, value_enum, default_value_t = Answer::Echo)]
    answer: Answer,
    /// The length of an HTTP answer's body, in bytes
    #[arg(long, default_value_t = 1024)]
    body: usize,
    /// Listen on a socket at this path, instead of a port of 127.0.0.1
    #[arg(long)]
    unix: Option<PathBuf>,
    /// Take datagrams
    #[arg(long)]
    udp: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Answer {
    /// What came
    Echo,
    /// The same HTTP response to each request
    Http,
}

impl Serve {
    /// Serves until the input ends; says the address, and what it has used at each line it hears.
    pub fn run(self) -> io::Result<()> {
        let epoll = Epoll::new()?;
        epoll.watch_readable(io::stdin(), CONTROL)?;
        if self.udp {
            let socket = UdpSocket::bind("127.0.0.1:0")?;
            say(&json!({ "address": socket.local_addr()?.to_string() }))?;
            datagrams::serve(&epoll, &socket)
        } else if let Some(path) = &self.unix {
            let listener = Listener::Unix(UnixListener::bind(path)?);
            say(&json!({ "address": path }))?;
            listener::serve(&epoll, &listener, self.response().as_deref())
        } else {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            say(&json!({ "address": listener.local_addr()?.to_string() }))?;
            listener::serve(&epoll, &Listener::Tcp(listener), self.response().as_deref())
        }
    }

    fn response(&self) -> Option<Vec<u8>> {
        matches!(self.answer, Answer::Http).then(|| {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", self.body);
            [head.into_bytes(), vec![b'x'; self.body]].concat()
        })
    }
}

/// Answers a line on standard input with what was used; whether to go on.
fn obey() -> io::Result<bool> {
    if hear()?.is_empty() {
        return Ok(false);
    }
    say(&Usage::now()?)?;
    Ok(true)
}
