//! What becomes of a loop whose thread the interpreter ends.
//!
//! When the interpreter goes, Python before 3.14 ends a daemon thread at its next attempt to take the
//! lock, by `pthread_exit`, which unwinds the thread's stack: through the frames of this module, whose
//! destructors would touch objects without the lock. Python from 3.14 on lets such a thread hang until
//! the process is gone. With a [`Stay`] the thread does so on all versions.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::time::Duration;

/// As long as it lives, the thread that made it hangs rather than being unwound.
///
/// It must be dropped by the thread that made it, and several in the reverse order of their making.
pub struct Stay(*mut Handler);

/// The C library's `struct _pthread_cleanup_buffer`.
#[repr(C)]
struct Handler {
    routine: extern "C" fn(*mut c_void),
    argument: *mut c_void,
    cancel_type: c_int,
    previous: *mut Handler,
}

unsafe extern "C" {
    fn _pthread_cleanup_push(
        handler: *mut Handler,
        routine: extern "C" fn(*mut c_void),
        argument: *mut c_void,
    );
    fn _pthread_cleanup_pop(handler: *mut Handler, execute: c_int);
}

impl Stay {
    /// Makes the current thread stay from here on.
    pub fn new() -> Self {
        // On the heap: a handler runs when the unwinding passes its address, and any address outside
        // of the stack counts as passed before the first frame is unwound.
        let handler = Box::into_raw(Box::new(Handler {
            routine: hang,
            argument: ptr::null_mut(),
            cancel_type: 0,
            previous: ptr::null_mut(),
        }));
        // SAFETY: `handler` points to a buffer of the C library's layout, which lives until it is
        // popped in `drop`, on the same thread: `Stay` is not `Send`.
        unsafe { _pthread_cleanup_push(handler, hang, ptr::null_mut()) };
        Self(handler)
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        // SAFETY: it is the handler that `new` pushed on this thread, and what was pushed after it has
        // been popped; after that nothing refers to the box.
        unsafe {
            _pthread_cleanup_pop(self.0, 0);
            drop(Box::from_raw(self.0));
        }
    }
}

extern "C" fn hang(_: *mut c_void) {
    loop {
        std::thread::sleep(Duration::MAX);
    }
}
