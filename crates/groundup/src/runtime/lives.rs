//! What a recording has to know of the tasks that live: names and waits are said again when the
//! records of them have gone.

use super::awaited::Awaited;
use super::tasks::TaskKey;
use crate::recorder::Name;

/// What is known of a task.
#[derive(Debug, Default)]
pub(super) struct Life {
    key: Option<TaskKey>,
    /// The name that it was given.
    pub name: Option<String>,
    /// What it waits for, or did last; `None` if that is not known.
    pub awaited: Option<Vec<Awaited>>,
    /// How that is said, if it has been said.
    pub wait: Option<Name>,
}

/// What is known of all tasks, by their places; a task takes over the place of one that is gone.
#[derive(Debug, Default)]
pub(super) struct Lives(Vec<Life>);

impl Lives {
    /// What is known of a task, to know more.
    pub fn of(&mut self, key: TaskKey) -> &mut Life {
        if self.0.len() <= key.place() {
            self.0.resize_with(key.place() + 1, Life::default);
        }
        let life = &mut self.0[key.place()];
        if life.key != Some(key) {
            *life = Life { key: Some(key), ..Life::default() };
        }
        life
    }

    /// What is known of a task, if anything is.
    pub fn get(&self, key: TaskKey) -> Option<&Life> {
        self.0.get(key.place()).filter(|life| life.key == Some(key))
    }

    /// Forgets how waits are said: names have other numbers now.
    pub fn forget_waits(&mut self) {
        self.0.iter_mut().for_each(|life| life.wait = None);
    }

    /// The name that a task was given.
    pub fn name(&self, key: TaskKey) -> Option<&str> {
        self.get(key)?.name.as_deref()
    }
}
