//! Signals and threads of our own: they are the program's affair, so such a thread takes none.

use std::mem::MaybeUninit;
use std::ptr;

/// As long as it lives, the thread that made it takes no signals, nor ever do threads that it starts.
///
/// It must be dropped by the thread that made it.
pub struct SignalsBlocked {
    former: libc::sigset_t,
}

impl SignalsBlocked {
    /// Signals wait from here on.
    pub fn new() -> Self {
        let (mut all, mut former) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        // SAFETY: `sigfillset` writes a whole set, which `pthread_sigmask` reads; that writes a whole one
        // too, for its arguments are valid.
        let former = unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), former.as_mut_ptr());
            former.assume_init()
        };
        Self { former }
    }
}

impl Drop for SignalsBlocked {
    fn drop(&mut self) {
        // SAFETY: the set is one that `pthread_sigmask` has written.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.former, ptr::null_mut())
        };
    }
}
