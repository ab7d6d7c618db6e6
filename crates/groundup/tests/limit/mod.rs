//! A time limit for tests that could wait for ever: they fail instead.

use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Long enough for a busy machine, short enough to wait for.
const LIMIT: Duration = Duration::from_secs(20);

/// Runs `body` on a thread of its own and gives its result.
///
/// # Panics
///
/// When `body` panics, and when it has not ended in time.
pub fn in_time<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, result) = channel();
    let thread = thread::spawn(move || {
        let _ = sender.send(body());
    });
    match result.recv_timeout(LIMIT) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => panic!("not done after {LIMIT:?}"),
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => resume_unwind(panic),
            Ok(()) => unreachable!("the body ended without a result"),
        },
    }
}
