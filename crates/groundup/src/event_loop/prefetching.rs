//! Fetching memory ahead of its use.
//!
//! What many tasks and connections refer to does not fit into the processor's caches, and each reference that is followed
//! then takes longer than most of what a turn does. But the ready queue tells what comes next: while one
//! entry goes on, the memory of those behind it is on its way.

use super::{Entry, EventLoop, Host};
use crate::clock::Clock;
use crate::poller::Poller;
use crate::recorder::Recorder;

/// What fewer entries need is still in the cache.
pub(super) const MANY: usize = 64;

/// How many entries are resumed between the fetch of an entry's memory and its own turn, for each
/// reference further away.
const AHEAD: [usize; 3] = [8, 5, 2];

impl<H: Host, P: Poller, C: Clock, R: Recorder> EventLoop<H, P, C, R> {
    /// Has memory fetched for the entries that are to be resumed after the next ones.
    // Out of the way of short queues.
    #[inline(never)]
    pub(super) fn prefetch(&self, scope: H::Scope<'_>) {
        let ready = self.ready.borrow();
        for (links, place) in AHEAD.into_iter().enumerate() {
            match ready.get(place) {
                Some(Entry::Task(task)) => H::prefetch(scope, task, links),
                Some(Entry::Event(event)) => {
                    if let Some(watch) = self.sources.borrow().find(event.token) {
                        H::prefetch_source(scope, &watch.source, links);
                    }
                }
                None => return,
            }
        }
    }
}
