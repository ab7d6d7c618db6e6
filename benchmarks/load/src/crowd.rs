//! Many connections that all talk at once, on one thread.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use hdrhistogram::Histogram;
use serde_json::json;

use crate::certificate;
use crate::client::{Client, Talk as Words};
use crate::kernel::{Epoll, processor_time};
use crate::report::{Measured, hear, say};
use crate::target::Target;
use crate::websocket;

/// Connections that are made before the server has answered them: its backlog is to hold them.
const GROUP: usize = 50;
/// A server that answers nothing for this long has lost something.
const PATIENCE: Duration = Duration::from_secs(10);
const BUFFER: usize = 1 << 18;

/// How to put a load on a server.
#[derive(Args, Debug)]
pub struct Talk {
    /// The server's address
    #[arg(long, required_unless_present = "unix")]
    address: Option<SocketAddr>,
    /// The path of the server's socket, instead of an address
    #[arg(long, conflicts_with = "address")]
    unix: Option<PathBuf>,
    /// Send datagrams
    #[arg(long, conflicts_with_all = ["unix", "ca"])]
    udp: bool,
    /// Speak TLS, and trust the authority in this file
    #[arg(long)]
    ca: Option<PathBuf>,
    /// Speak WebSocket: a message each way
    #[arg(long)]
    websocket: bool,
    /// Connections that talk
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// Connections that say one thing in the beginning, and stay
    #[arg(long, default_value_t = 0)]
    idle: usize,
    /// A request's length, in bytes
    #[arg(long, default_value_t = 1024)]
    size: usize,
    /// A reply's length, in bytes; without it, the reply is the request
    #[arg(long)]
    reply: Option<usize>,
    /// Make a new connection for each request
    #[arg(long)]
    reconnect: bool,
    /// How long to talk before measuring, in seconds
    #[arg(long, default_value_t = 0.2)]
    warmup: f64,
    /// How long to measure, in seconds
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
}

impl Talk {
    /// Opens, warms up, says so, waits for a line, measures, reports, and waits for the end of input.
    pub fn run(self) -> io::Result<()> {
        let mut crowd = Crowd::new(&self)?;
        crowd.open(self.idle + self.connections)?;
        crowd.talk(Duration::from_secs_f64(self.warmup))?;
        say(&json!("ready"))?;
        hear()?;
        say(&crowd.talk(Duration::from_secs_f64(self.seconds))?)?;
        hear()?;
        Ok(())
    }

    fn target(&self) -> io::Result<Target> {
        Ok(match (&self.unix, self.address, &self.ca) {
            (Some(path), ..) => Target::Unix(path.clone()),
            (None, Some(address), Some(ca)) => Target::Tls(address, certificate::trusting(ca)?),
            (None, Some(address), None) if self.udp => Target::Udp(address),
            (None, Some(address), None) => Target::Tcp(address),
            (None, None, _) => unreachable!("one of the two is required"),
        })
    }

    fn words(&self) -> Words {
        // Lines, for servers that read those; the bytes differ, so that what is out of step shows.
        let mut request: Vec<u8> = (b' '..=b'~').cycle().take(self.size).collect();
        if let Some(last) = request.last_mut() {
            *last = b'\n';
        }
        match self.reply {
            _ if self.websocket => {
                let reply = websocket::reply_length(self.size);
                Words { request: websocket::frame(&request), reply, echo: false }
            }
            Some(reply) => Words { request, reply, echo: false },
            None => Words { request, reply: self.size, echo: true },
        }
    }
}

struct Crowd<'a> {
    how: &'a Talk,
    words: Words,
    target: Target,
    epoll: Epoll,
    clients: Vec<Client>,
    /// How many connections were ever made.
    made: usize,
    buffer: Vec<u8>,
}

impl<'a> Crowd<'a> {
    fn new(how: &'a Talk) -> io::Result<Self> {
        Ok(Self {
            how,
            words: how.words(),
            target: how.target()?,
            epoll: Epoll::new()?,
            clients: Vec::new(),
            made: 0,
            buffer: vec![0; BUFFER],
        })
    }

    /// Opens this many connections, each of which says one thing.
    fn open(&mut self, count: usize) -> io::Result<()> {
        while self.clients.len() < count {
            let first = self.clients.len();
            for index in first..count.min(first + GROUP) {
                let client = self.connect(index)?;
                self.clients.push(client);
            }
            self.exchange(first, None)?;
        }
        Ok(())
    }

    fn connect(&mut self, index: usize) -> io::Result<Client> {
        let mut stream = self.target.connect(self.made)?;
        self.made += 1;
        if self.how.websocket {
            websocket::open(&mut stream)?;
        }
        self.epoll.watch_edges(&stream, index)?;
        Ok(Client::new(stream))
    }

    /// Talks for this long, with those that are not idle, and waits for the last reply.
    fn talk(&mut self, time: Duration) -> io::Result<Measured> {
        let (began, used) = (Instant::now(), processor_time());
        let times = self.exchange(self.how.idle, Some(began + time))?;
        let (took, used) = (began.elapsed(), processor_time() - used);
        Ok(Measured {
            requests: times.len(),
            seconds: took.as_secs_f64(),
            p50: times.value_at_quantile(0.50) as f64 / 1000.0,
            p99: times.value_at_quantile(0.99) as f64 / 1000.0,
            busy: used.as_secs_f64() / took.as_secs_f64(),
        })
    }

    /// One request for each connection from `first` on, and more of them until `end`; the times in
    /// nanoseconds.
    fn exchange(&mut self, first: usize, end: Option<Instant>) -> io::Result<Histogram<u64>> {
        // It keeps three digits, and grows as it has to.
        let mut times = Histogram::new(3).map_err(io::Error::other)?;
        let mut keys: Vec<usize> = (first..self.clients.len()).collect();
        let mut talking = keys.len();
        keys.iter().for_each(|&key| self.clients[key].begin(Instant::now()));
        while talking > 0 {
            for &key in &keys {
                talking -= usize::from(self.advance(key, end, &mut times)?);
            }
            if talking > 0 {
                self.epoll.wait(Some(PATIENCE), &mut keys)?;
                if keys.is_empty() {
                    return Err(io::Error::other(format!("{talking} requests got no reply")));
                }
            }
        }
        Ok(times)
    }

    /// Goes on with one connection, as far as it goes; whether it has had the last of its replies.
    fn advance(
        &mut self,
        key: usize,
        end: Option<Instant>,
        times: &mut Histogram<u64>,
    ) -> io::Result<bool> {
        while let Some(took) = self.clients[key].advance(&self.words, &mut self.buffer)? {
            times.record(took.as_nanos() as u64).map_err(io::Error::other)?;
            let now = Instant::now();
            if end.is_none_or(|end| now >= end) {
                return Ok(true);
            }
            if self.how.reconnect {
                self.clients[key] = self.connect(key)?;
            }
            self.clients[key].begin(now);
        }
        Ok(false)
    }
}
