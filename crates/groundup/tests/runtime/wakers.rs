//! Wakers: from this thread or another, once or often, in time or too late.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use groundup::{block_on, spawn, yield_now};

use crate::limit::in_time;

/// The waker of the task that awaits it.
async fn own_waker() -> Waker {
    poll_fn(|context| Poll::Ready(context.waker().clone())).await
}

/// Waits until `answer` gives something; somebody has to wake it.
async fn until_some<T>(mut answer: impl FnMut() -> Option<T>) -> T {
    poll_fn(|_| answer().map_or(Poll::Pending, Poll::Ready)).await
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn another_thread_wakes_the_future_of_block_on() {
    in_time(|| {
        let output = block_on(async {
            let (sender, receiver) = channel();
            let waker = own_waker().await;
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(10));
                sender.send("hello").unwrap();
                waker.wake();
            });
            until_some(|| receiver.try_recv().ok()).await
        });
        assert_eq!(output, "hello");
    });
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn another_thread_wakes_a_task() {
    in_time(|| {
        let output = block_on(spawn_inside(async {
            let (sender, receiver) = channel();
            let waker = own_waker().await;
            thread::spawn(move || {
                for n in 0..100 {
                    sender.send(n).unwrap();
                    waker.wake_by_ref();
                }
            });
            let mut sum = 0;
            for _ in 0..100 {
                sum += until_some(|| receiver.try_recv().ok()).await;
            }
            sum
        }));
        assert_eq!(output, 4950);
    });
}

async fn spawn_inside<T: 'static>(future: impl Future<Output = T> + 'static) -> T {
    spawn(future).await
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn two_loops_wake_one_another() {
    in_time(|| {
        /// Whose turn it is, and who waits for it.
        #[derive(Default)]
        struct Net {
            ball: u32,
            waiting: [Option<Waker>; 2],
        }
        async fn play(net: Arc<Mutex<Net>>, side: usize) {
            for _ in 0..500 {
                poll_fn(|context| {
                    let mut net = net.lock().unwrap();
                    if net.ball as usize % 2 != side {
                        net.waiting[side] = Some(context.waker().clone());
                        return Poll::Pending;
                    }
                    net.ball += 1;
                    net.waiting[1 - side].take().into_iter().for_each(Waker::wake);
                    Poll::Ready(())
                })
                .await;
            }
        }
        let net = Arc::new(Mutex::new(Net::default()));
        let other = net.clone();
        let thread = thread::spawn(|| block_on(play(other, 1)));
        block_on(play(net.clone(), 0));
        thread.join().unwrap();
        assert_eq!(net.lock().unwrap().ball, 1000);
    });
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn a_task_that_is_woken_often_is_polled_once() {
    block_on(async {
        let (polls, waker) = (Rc::new(Cell::new(0)), Rc::new(RefCell::new(None)));
        let (counted, kept) = (polls.clone(), waker.clone());
        let never = poll_fn(move |context| {
            counted.set(counted.get() + 1);
            kept.replace(Some(context.waker().clone()));
            Poll::<()>::Pending
        });
        spawn(never).detach();
        yield_now().await;
        let waker: Waker = waker.take().unwrap();
        for expected in [2, 3] {
            for _ in 0..5 {
                waker.wake_by_ref();
            }
            yield_now().await;
            yield_now().await;
            assert_eq!(polls.get(), expected);
        }
    });
}

#[test]
#[cfg_attr(miri, ignore = "makes system calls of its own")]
fn waking_what_has_finished_harms_nothing() {
    let waker = block_on(async {
        let waker = spawn(own_waker()).await;
        waker.wake_by_ref();
        yield_now().await;
        waker
    });
    waker.wake_by_ref();
    block_on(async {
        waker.wake_by_ref();
        yield_now().await;
    });
    thread::spawn(move || waker.wake()).join().unwrap();
}
