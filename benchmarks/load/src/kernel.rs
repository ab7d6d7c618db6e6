//! What the kernel tells: which descriptors are ready, and what a process has used.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use rustix::event::{Timespec, epoll};
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

/// Events taken by one call.
const BATCH: usize = 256;

/// An epoll descriptor whose keys are numbers.
pub struct Epoll(OwnedFd);

impl Epoll {
    pub fn new() -> io::Result<Self> {
        Ok(Self(epoll::create(epoll::CreateFlags::CLOEXEC)?))
    }

    /// Reports when the descriptor becomes readable or writable, once each time.
    pub fn watch_edges(&self, fd: impl AsFd, key: usize) -> io::Result<()> {
        let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET;
        self.watch(fd, key, flags)
    }

    /// Reports that the descriptor is readable, for as long as it is.
    pub fn watch_readable(&self, fd: impl AsFd, key: usize) -> io::Result<()> {
        self.watch(fd, key, epoll::EventFlags::IN)
    }

    /// Chooses anew whether to report that the descriptor is readable, and that it is writable.
    pub fn change(&self, fd: impl AsFd, key: usize, read: bool, write: bool) -> io::Result<()> {
        let mut flags = epoll::EventFlags::empty();
        flags.set(epoll::EventFlags::IN, read);
        flags.set(epoll::EventFlags::OUT, write);
        Ok(epoll::modify(&self.0, fd, epoll::EventData::new_u64(key as u64), flags)?)
    }

    fn watch(&self, fd: impl AsFd, key: usize, flags: epoll::EventFlags) -> io::Result<()> {
        Ok(epoll::add(&self.0, fd, epoll::EventData::new_u64(key as u64), flags)?)
    }

    /// Puts the keys of what is ready into `keys`; waits for that, but no longer than `timeout`.
    pub fn wait(&self, timeout: Option<Duration>, keys: &mut Vec<usize>) -> io::Result<()> {
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: timeout.as_secs() as i64,
            tv_nsec: timeout.subsec_nanos().into(),
        });
        let mut buffer = [const { MaybeUninit::uninit() }; BATCH];
        keys.clear();
        match epoll::wait(&self.0, &mut buffer, timeout.as_ref()) {
            Ok((ready, _)) => keys.extend(ready.iter().map(|event| event.data.u64() as usize)),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// The time that this process has been on a processor.
pub fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// What the kernel has put down to this process, as the benchmarks' servers say it.
#[derive(Debug, Serialize)]
pub struct Usage {
    /// Microseconds in the program.
    pub user: i64,
    /// Microseconds in the kernel, for the program.
    pub system: i64,
    /// Bytes of memory that the process has, shared ones included.
    pub memory: u64,
}

impl Usage {
    pub fn now() -> io::Result<Self> {
        let usage = getrusage(UsageWho::RUSAGE_SELF)?;
        let pages = std::fs::read_to_string("/proc/self/statm")?;
        let resident = pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
        Ok(Self {
            user: usage.user_time().num_microseconds(),
            system: usage.system_time().num_microseconds(),
            memory: resident.unwrap_or(0) * rustix::param::page_size() as u64,
        })
    }
}
