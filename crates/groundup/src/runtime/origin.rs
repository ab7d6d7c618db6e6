//! Where a task comes from: what it runs, and the line that made it.
//!
//! It is kept for every task, so that a recording that begins later can tell; a text is made of it only
//! then.

use std::any::type_name;
use std::panic::Location;

/// What every async block and closure ends with in a type's name.
const UNNAMED: &str = "::{{closure}}";

/// Where a task comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    type_name: fn() -> &'static str,
    place: &'static Location<'static>,
}

impl Origin {
    /// That of a task which runs an `F`, made there.
    pub fn of<F>(place: &'static Location<'static>) -> Self {
        Self { type_name: type_name::<F>, place }
    }

    /// A number that only tasks of the same origin share.
    pub fn key(&self) -> (usize, usize) {
        (self.type_name as usize, std::ptr::from_ref(self.place).addr())
    }

    /// What the task runs: the path of an async function, or of the function that the async block
    /// stands in; another future's type.
    pub fn coroutine(&self) -> &'static str {
        (self.type_name)().trim_end_matches(UNNAMED)
    }

    /// The line that made the task.
    pub fn place(&self) -> &'static Location<'static> {
        self.place
    }
}

/// The last part of a type's path, without its parameters.
pub(super) fn short_name<T: ?Sized>() -> &'static str {
    let name = type_name::<T>();
    let name = name.split_once('<').map_or(name, |(name, _)| name);
    name.rsplit_once("::").map_or(name, |(_, last)| last)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn coroutine_of<F>(_: &F) -> &'static str {
        Origin::of::<F>(Location::caller()).coroutine()
    }

    async fn fetch() {}

    #[test]
    fn what_a_task_runs_is_the_path_of_its_function() {
        assert_eq!(coroutine_of(&fetch()), "groundup::runtime::origin::tests::fetch");
        let block = async {};
        let closure = || async {};
        let expected = concat!(
            "groundup::runtime::origin::tests::",
            "what_a_task_runs_is_the_path_of_its_function"
        );
        assert_eq!(coroutine_of(&block), expected);
        assert_eq!(coroutine_of(&closure()), expected);
    }

    #[test]
    fn a_type_is_known_by_the_end_of_its_path() {
        assert_eq!(short_name::<std::net::TcpStream>(), "TcpStream");
        assert_eq!(short_name::<HashMap<u8, String>>(), "HashMap");
        assert_eq!(short_name::<u8>(), "u8");
    }
}
