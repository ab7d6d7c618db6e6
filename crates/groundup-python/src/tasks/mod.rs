//! Futures and tasks of the loop's own: subclasses of `_asyncio.Future` and `_asyncio.Task`, on the same
//! fields, whose steps and wake-ups stand on the ready queue themselves.
//!
//! Everything else about them (names, stacks, results, what is logged when one is forgotten) is the base's.
//! Who makes a task by other ways, in debug mode, or on a loop whose `call_soon` somebody has
//! replaced, gets it driven by the base's own code, through `call_soon`.

mod callables;
mod callbacks;
mod classes;
mod context;
mod current;
mod done_callback;
mod ending;
mod future;
mod future_iter;
mod future_methods;
mod guard;
pub mod layout;
mod passed;
mod registry;
mod slots;
mod spare_objects;
mod step;
mod tables;
mod task;
mod task_methods;
mod verification;
mod waiting;

pub use callables::{call_soon, handle_of, wakeup_of};
pub use classes::{Future, Task, prepare};
pub use current::CurrentTask;
pub use done_callback::DoneCallback;
pub use future_methods::future_set_by;
pub use registry::register_pending;
pub use step::Awakening;
pub use task::Keywords;
