//! What happens around the steps: connections, bytes, jobs of executors, requests to cancel; and what
//! is found out about them: stacks, what the thread has used.

use super::Loom;
use crate::clock::Timestamp;
use crate::recorder::{Name, halves};
use crate::weave::parts::{Cancel, Job, Socket, Stack, Transfer, Usage};

impl Loom<'_> {
    /// A connection was opened, or is said again, or to be of another kind: TLS goes over it now.
    pub(super) fn open(&mut self, time: Timestamp, descriptor: u64, detail: u64) {
        let (kind, peer) = halves(detail);
        let socket = match self.sockets.get(&descriptor) {
            Some(&socket) if self.is_told(socket, peer) => socket,
            _ => {
                // Its number has another owner: it was closed, unheard.
                self.close(time, descriptor);
                self.add_socket(time, descriptor)
            }
        };
        (self.weave.sockets[socket].kind, self.weave.sockets[socket].peer) = (kind, peer);
    }

    /// Whether a connection is known to be one to this peer; or nothing is known of it, for what was said
    /// is lost.
    fn is_told(&self, socket: usize, peer: Name) -> bool {
        let known = &self.weave.sockets[socket];
        if known.kind == 0 {
            return self.weave.lost > 0;
        }
        self.recording.name(known.peer) == self.recording.name(peer)
    }

    pub(super) fn add_socket(&mut self, opened: Timestamp, descriptor: u64) -> usize {
        let (kind, peer, closed, transfers) = (0, 0, None, Vec::new());
        self.sockets.insert(descriptor, self.weave.sockets.len());
        self.weave.sockets.push(Socket { descriptor, kind, peer, opened, closed, transfers });
        self.weave.sockets.len() - 1
    }

    pub(super) fn transfer(&mut self, time: Timestamp, descriptor: u64, came: bool, detail: u64) {
        let (bytes, took) = halves(detail);
        let socket = match self.sockets.get(&descriptor) {
            Some(&socket) => socket,
            None => self.add_socket(time, descriptor),
        };
        self.weave.sockets[socket].transfers.push(Transfer { time, came, bytes, took });
    }

    pub(super) fn close(&mut self, time: Timestamp, descriptor: u64) {
        if let Some(socket) = self.sockets.remove(&descriptor) {
            self.weave.sockets[socket].closed = Some(time);
        }
    }

    pub(super) fn job(&mut self, time: Timestamp, future: u64, function: Name) {
        match self.jobs.remove(&future) {
            Some(job) => self.weave.jobs[job].ended = Some(time),
            None => {
                self.jobs.insert(future, self.weave.jobs.len());
                self.weave.jobs.push(Job { function, began: time, ended: None });
            }
        }
    }

    pub(super) fn cancel(&mut self, time: Timestamp, task: u64) {
        let (lane, by) = (self.lane_of(time, task), self.step());
        self.weave.cancels.push(Cancel { lane, time, by });
    }

    /// A stack without a step says nothing.
    pub(super) fn add_stack(&mut self, text: Name) {
        if let Some(step) = self.step() {
            self.weave.stacks.push(Stack { step, text });
        }
    }

    pub(super) fn use_up(&mut self, time: Timestamp, kernel: u64, elsewhere: u64) {
        self.weave.usage.push(Usage { time, kernel, elsewhere });
    }
}
