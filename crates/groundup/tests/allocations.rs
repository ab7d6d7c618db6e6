//! What the hot paths ask of the allocator: nothing, once they run.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::pin::{Pin, pin};
use std::time::Duration;

use groundup::clock::Timestamp;
use groundup::coroutine::{Coroutine, Step};
use groundup::generator::{Yielder, generator};
use groundup::ready::ReadyQueue;
use groundup::timers::Timers;
use groundup::{block_on, interweave, record, sleep, yield_now};

/// The system's allocator, counting by thread.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static HELD: Cell<isize> = const { Cell::new(0) };
}

fn count(allocations: usize, bytes: isize) {
    // While a thread ends there is nobody left to count for.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + allocations));
    let _ = HELD.try_with(|held| held.set(held.get() + bytes));
}

// SAFETY: everything is passed on to the system's allocator; the counters do not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as isize);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, -(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// How many allocations `work` makes.
fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

fn count_to(end: u64) -> impl Coroutine<Yield = u64, Return = ()> {
    generator(async move |yielder: Yielder<u64>| {
        for n in 0..end {
            yielder.yield_(n).await;
        }
    })
}

#[test]
fn the_allocator_counts() {
    assert_eq!(allocations(|| drop(Box::new(1))), 1);
}

#[test]
fn a_generator_allocates_once_when_made_and_never_in_a_step() {
    assert_eq!(allocations(|| drop(count_to(10))), 1);
    let mut generator = pin!(count_to(10_000));
    let steps = || while let Step::Yielded(_) = generator.as_mut().resume(()) {};
    assert_eq!(allocations(steps), 0);
}

#[test]
fn delegating_allocates_nothing_beyond_the_generators_themselves() {
    let mut outer = pin!(generator(async |yielder: Yielder<u64>| {
        for _ in 0..10 {
            yielder.yield_from(count_to(1000)).await;
        }
    }));
    let steps = || while let Step::Yielded(_) = outer.as_mut().resume(()) {};
    assert_eq!(allocations(steps), 10);
}

#[test]
fn taking_turns_allocates_nothing() {
    let coroutines: [Pin<Box<_>>; 10] = std::array::from_fn(|_| Box::pin(count_to(100)));
    let mut weave = interweave(coroutines);
    assert_eq!(allocations(|| assert_eq!(weave.by_ref().count(), 1010)), 0);
}

#[test]
fn a_ready_queue_that_has_grown_allocates_nothing() {
    let mut ready: ReadyQueue<u64> = (0..100).collect();
    let steps = || {
        for _ in 0..10_000 {
            let entry = ready.pop().unwrap();
            ready.push(entry);
        }
    };
    assert_eq!(allocations(steps), 0);
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn steps_and_waits_that_are_recorded_allocate_nothing() {
    let tape = record("/dev/null").unwrap();
    let allocated = block_on(async {
        let steps = async |count: usize| {
            for _ in 0..count {
                yield_now().await;
                sleep(Duration::ZERO).await;
            }
        };
        steps(10).await;
        let before = ALLOCATIONS.get();
        steps(1000).await;
        ALLOCATIONS.get() - before
    });
    tape.finish().unwrap();
    assert_eq!(allocated, 0);
}

#[test]
fn timers_that_are_set_and_cancelled_hold_no_memory() {
    let mut timers = Timers::new();
    timers.insert(Timestamp::NEVER, 0);
    let before = HELD.get();
    for n in 0..100_000 {
        // A timeout that never comes to pass, as most do.
        let key = timers.insert(Timestamp(1_000_000 + n), n);
        assert_eq!(timers.cancel(key), Some(n));
    }
    let grown = HELD.get() - before;
    assert!(grown < 16 * 1024, "{grown} bytes more");
}
