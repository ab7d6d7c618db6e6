//! Names: texts that records refer to by a number, each kept once.
//!
//! A name's number is its place in the memory, so that a reader needs no table. When the memory is
//! full, further names are that of nothing, and counted.

use std::collections::HashMap;

/// A name in a recording; 0 is that of nothing.
pub type Name = u32;

/// A text that is longer keeps its beginning.
pub const LONGEST: usize = 8000;

/// The bytes of a text's length before it.
const LENGTH: usize = 2;

/// The names of a recording.
#[derive(Debug)]
pub struct Names<M> {
    memory: M,
    used: usize,
    known: HashMap<Box<str>, Name>,
    refused: u64,
}

impl<M: AsRef<[u8]> + AsMut<[u8]>> Names<M> {
    /// No names, in this memory, which is all zeros.
    pub fn new(memory: M) -> Self {
        // The first place is the empty text's: its length, which is nothing.
        Self { used: LENGTH.min(memory.as_ref().len()), memory, known: HashMap::new(), refused: 0 }
    }

    /// The number of a text.
    pub fn intern(&mut self, text: &str) -> Name {
        let text = beginning(text);
        if text.is_empty() {
            return 0;
        }
        match self.known.get(text) {
            Some(&name) => name,
            None => self.add(text),
        }
    }

    fn add(&mut self, text: &str) -> Name {
        let end = self.used + LENGTH + text.len();
        let Some(place) = self.memory.as_mut().get_mut(self.used..end) else {
            self.refused += 1;
            return 0;
        };
        // The text first: a reader that sees a length sees what it is the length of.
        place[LENGTH..].copy_from_slice(text.as_bytes());
        place[..LENGTH].copy_from_slice(&(text.len() as u16).to_le_bytes());
        let name = self.used as Name;
        self.used = end;
        self.known.insert(text.into(), name);
        name
    }

    /// How many bytes the names take.
    pub fn used(&self) -> usize {
        self.used
    }

    /// How many texts found no room.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// The memory.
    pub fn memory(&self) -> &[u8] {
        self.memory.as_ref()
    }
}

/// The text of a name in this memory; that of a name which is not there, or is no text, is empty.
#[must_use]
pub fn text(memory: &[u8], name: Name) -> &str {
    let read = || {
        let rest = memory.get(name as usize..)?;
        let (length, rest) = rest.split_first_chunk::<LENGTH>()?;
        let bytes = rest.get(..usize::from(u16::from_le_bytes(*length)))?;
        std::str::from_utf8(bytes).ok()
    };
    read().unwrap_or_default()
}

fn beginning(text: &str) -> &str {
    let end = (0..=LONGEST.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_name_has_the_text_it_was_made_of(texts in prop::collection::vec(".{0,40}", 0..20)) {
            let mut names = Names::new(vec![0; 1 << 16]);
            let numbers: Vec<Name> = texts.iter().map(|it| names.intern(it)).collect();
            for (wanted, number) in texts.iter().zip(numbers) {
                prop_assert_eq!(text(names.memory(), number), wanted);
            }
        }

        #[test]
        fn memory_of_any_content_gives_some_text(memory in any::<Vec<u8>>(), name in any::<u32>()) {
            let _ = text(&memory, name);
        }
    }

    #[test]
    fn a_text_is_kept_once() {
        let mut names = Names::new(vec![0; 64]);
        let first = names.intern("fetch");
        let used = names.used();
        assert_eq!((names.intern("fetch"), names.used()), (first, used));
    }

    #[test]
    fn a_text_without_room_is_nothing_and_counted() {
        let mut names = Names::new(vec![0; 12]);
        assert_ne!(names.intern("one"), 0);
        assert_eq!(names.intern("another one"), 0);
        assert_eq!(names.refused(), 1);
    }

    #[test]
    fn a_long_text_keeps_its_beginning() {
        let mut names = Names::new(vec![0; 2 * LONGEST]);
        let name = names.intern(&"ä".repeat(LONGEST));
        assert_eq!(text(names.memory(), name), "ä".repeat(LONGEST / 2));
    }
}
