//! Memory that will be needed soon.

/// How much memory is fetched at once, in bytes.
const LINE: usize = 64;

/// Has memory fetched into the processor's cache, so many bytes from an address on; whatever is there.
#[inline(always)]
pub fn prefetch<T>(address: *const T, size: usize) {
    for offset in (0..size).step_by(LINE) {
        prefetch_line(address.cast::<u8>().wrapping_add(offset));
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn prefetch_line(address: *const u8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: all processors of this architecture have the instruction, which is but a hint: no address
    // is wrong for it.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
}

/// Elsewhere there is no stable way to ask for it.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn prefetch_line(_: *const u8) {}
