//! A lookout: sees what a loop is doing that is being recorded, from the file that is written.

use std::fs::File;
use std::io;
use std::mem;
use std::time::Duration;

use super::present::Present;
use crate::clock::Timestamp;
use crate::recorder::{Follower, Name, News, Record};

/// How often one look may begin again, when records are overwritten before they are read.
const MOST_GAPS: usize = 4;

/// Sees from outside what a loop is doing.
#[derive(Debug)]
pub struct Lookout {
    follower: Follower,
    present: Present,
    /// Whether nothing of the ring has been read yet, or records were lost.
    is_blank: bool,
    /// Whether there was a look at what has come together.
    is_seen: bool,
    batch: Vec<Record>,
}

impl Lookout {
    /// Sees the loop that is recorded into this file.
    ///
    /// # Errors
    ///
    /// Those of [`Follower::new`].
    pub fn new(file: File) -> io::Result<Self> {
        let (follower, present, batch) = (Follower::new(file)?, Present::default(), Vec::new());
        Ok(Self { follower, present, is_blank: true, is_seen: false, batch })
    }

    /// Looks at what the loop is doing `now`. What it did lately is since the last look; the first
    /// time, and when records were lost, in the `span` before, or since the oldest that is there.
    ///
    /// # Errors
    ///
    /// Those of reading the file.
    pub fn look(&mut self, now: Timestamp, span: Duration) -> io::Result<&Present> {
        self.keep_up(now, span)?;
        self.is_seen = true;
        Ok(&self.present)
    }

    /// Reads what is new. Between two looks, this prevents that records are lost.
    ///
    /// # Errors
    ///
    /// Those of reading the file.
    pub fn keep_up(&mut self, now: Timestamp, span: Duration) -> io::Result<()> {
        let since = i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
        let since = Timestamp(now.0.saturating_sub(since));
        let oldest = self.follower.next().saturating_sub(self.follower.capacity());
        self.present.forget_before(oldest);
        if mem::take(&mut self.is_seen) {
            self.present.begin_lately(self.present.known().unwrap_or(since));
        }
        self.read(since)?;
        if mem::take(&mut self.is_blank) {
            self.present.begin_lately(since);
        }
        self.present.pass(now);
        Ok(())
    }

    fn read(&mut self, since: Timestamp) -> io::Result<()> {
        let mut gaps = 0;
        while gaps < MOST_GAPS {
            match self.follower.read(&mut self.batch)? {
                News::Records => self.add(since),
                News::Nothing => break,
                News::Gap => {
                    // Nothing that was known is certain any more; the ring says all that holds.
                    (self.present, self.is_blank) = (Present::default(), true);
                    gaps += 1;
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, since: Timestamp) {
        for record in &self.batch {
            if self.is_blank && record.time >= since {
                self.is_blank = false;
                let is_first = self.present.known().is_none();
                self.present.begin_lately(if is_first { record.time } else { since });
            }
            self.present.add(record);
        }
    }

    /// The text of a name in what the last look has shown.
    ///
    /// # Errors
    ///
    /// Those of reading the file.
    pub fn name(&self, name: Name) -> io::Result<String> {
        self.follower.name(name)
    }

    /// What the last look has shown.
    #[must_use]
    pub fn present(&self) -> &Present {
        &self.present
    }
}

#[cfg(test)]
mod tests;
