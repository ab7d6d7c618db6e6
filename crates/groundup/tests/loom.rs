//! The inbox under every interleaving of its threads that can matter.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test --release --test loom`. The sleep that a poller would
//! sleep is modelled by a condition variable, with the same promise: a notification ends the sleep
//! that is on now, or else the next one. A loop that slept over an entry would be a deadlock,
//! and loom reports deadlocks.

#![cfg(loom)]

use groundup::inbox::{Inbox, Notify};
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

/// Where the loop of the model sleeps.
struct Bed {
    rung: Mutex<bool>,
    alarm: Condvar,
    notifications: AtomicUsize,
}

impl Bed {
    fn sleep(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !*rung {
            rung = self.alarm.wait(rung).unwrap();
        }
        *rung = false;
    }
}

/// The wire to it.
struct Alarm(Arc<Bed>);

impl Notify for Alarm {
    fn notify(&self) {
        self.0.notifications.fetch_add(1, Relaxed);
        *self.0.rung.lock().unwrap() = true;
        self.0.alarm.notify_one();
    }
}

/// A loop that does nothing but listen to its inbox.
struct Listener {
    bed: Arc<Bed>,
    inbox: Arc<Inbox<u32, Alarm>>,
    heard: Vec<u32>,
    sleeps: usize,
}

impl Listener {
    fn new() -> Self {
        let bed = Arc::new(Bed {
            rung: Mutex::new(false),
            alarm: Condvar::new(),
            notifications: AtomicUsize::new(0),
        });
        let inbox = Arc::new(Inbox::new(Alarm(bed.clone())));
        Self { bed, inbox, heard: Vec::new(), sleeps: 0 }
    }

    /// What the event loop does in one turn: sleep if it may, then take what is there.
    fn turn(&mut self) {
        if self.inbox.fall_asleep() {
            self.bed.sleep();
        }
        self.sleeps += 1;
        self.inbox.wake_up();
        self.inbox.drain(&mut self.heard);
    }

    fn notifications(&self) -> usize {
        self.bed.notifications.load(Relaxed)
    }

    fn push_from_a_thread(&self, entries: std::ops::Range<u32>) -> thread::JoinHandle<()> {
        let inbox = self.inbox.clone();
        thread::spawn(move || entries.for_each(|entry| _ = inbox.push(entry)))
    }
}

/// Three threads have too many interleavings to try all; three preemptions are more than most races
/// need.
fn model_of_three_threads(body: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(body);
}

#[test]
fn no_entry_is_slept_over() {
    loom::model(|| {
        let mut listener = Listener::new();
        let pusher = listener.push_from_a_thread(0..2);
        while listener.heard.len() < 2 {
            listener.turn();
        }
        assert_eq!(listener.heard, [0, 1]);
        pusher.join().unwrap();
    });
}

#[test]
fn several_pushers_are_all_heard_each_in_its_order() {
    model_of_three_threads(|| {
        let mut listener = Listener::new();
        let pushers = [listener.push_from_a_thread(0..2), listener.push_from_a_thread(10..11)];
        while listener.heard.len() < 3 {
            listener.turn();
        }
        let place = |entry| listener.heard.iter().position(|&heard| heard == entry);
        assert!(place(0) < place(1) && place(10).is_some(), "{:?}", listener.heard);
        pushers.into_iter().for_each(|pusher| pusher.join().unwrap());
    });
}

#[test]
fn one_sleep_costs_one_notification_at_most() {
    model_of_three_threads(|| {
        let mut listener = Listener::new();
        let pushers = [listener.push_from_a_thread(0..1), listener.push_from_a_thread(1..2)];
        while listener.heard.len() < 2 {
            listener.turn();
        }
        pushers.into_iter().for_each(|pusher| pusher.join().unwrap());
        assert!(listener.notifications() <= listener.sleeps);
    });
}

#[test]
fn a_loop_that_is_awake_is_not_notified() {
    loom::model(|| {
        let mut listener = Listener::new();
        let pusher = listener.push_from_a_thread(0..2);
        listener.inbox.rouse();
        pusher.join().unwrap();
        assert_eq!(listener.notifications(), 0);
        assert!(!listener.inbox.fall_asleep(), "there are entries");
        listener.inbox.drain(&mut listener.heard);
        assert_eq!(listener.heard, [0, 1]);
    });
}

#[test]
fn a_loop_that_sleeps_can_be_roused_without_an_entry() {
    loom::model(|| {
        let mut listener = Listener::new();
        assert!(listener.inbox.fall_asleep());
        let inbox = listener.inbox.clone();
        let rouser = thread::spawn(move || inbox.rouse());
        listener.bed.sleep();
        listener.inbox.wake_up();
        rouser.join().unwrap();
        assert_eq!(listener.notifications(), 1);
        listener.inbox.drain(&mut listener.heard);
        assert!(listener.heard.is_empty());
    });
}
