//! Names: texts that records refer to by a number, each kept once.
//!
//! A name's number is its place in the memory, so that a reader needs no table. When there is no
//! room, further names are that of nothing, and counted.
//!
//! A program may go on for ever, and have new names all the time. So names are kept in three parts of
//! the memory: a ring of records is at no time older than the last two keyframes, and what is named
//! after the next can take the place of what was named before those.

use std::collections::HashMap;

/// A name in a recording; 0 is that of nothing.
pub type Name = u32;

/// A text that is longer keeps its beginning.
pub const LONGEST: usize = 8000;

/// The bytes of a text's length before it.
const LENGTH: usize = 2;

/// How many parts the memory has.
const PARTS: usize = 3;

/// The names of a recording.
#[derive(Debug)]
pub struct Names<M> {
    memory: M,
    /// The part that names are put in now.
    part: usize,
    /// Where the next name goes.
    next: usize,
    /// The end of the last place that was ever used.
    used: usize,
    known: HashMap<Box<str>, Name>,
    refused: u64,
}

impl<M: AsRef<[u8]> + AsMut<[u8]>> Names<M> {
    /// No names, in this memory, which is all zeros.
    pub fn new(memory: M) -> Self {
        // The first place is the empty text's: its length, which is nothing.
        let next = LENGTH.min(memory.as_ref().len());
        Self { memory, part: 0, next, used: next, known: HashMap::new(), refused: 0 }
    }

    /// Forgets the oldest names: those that were new before the last call but one.
    pub fn forget_oldest(&mut self) {
        let size = self.memory.as_ref().len() / PARTS;
        self.part = (self.part + 1) % PARTS;
        self.next = (self.part * size).max(LENGTH);
        let used = self.used.min((self.part + 1) * size);
        if let Some(oldest) = self.memory.as_mut().get_mut(self.next..used) {
            oldest.fill(0);
        }
        self.known.clear();
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
        let end = self.next + LENGTH + text.len();
        let part_end = self.memory.as_ref().len() / PARTS * (self.part + 1);
        let place = self.memory.as_mut().get_mut(self.next..end).filter(|_| end <= part_end);
        let Some(place) = place else {
            self.refused += 1;
            return 0;
        };
        // The text first: a reader that sees a length sees what it is the length of.
        place[LENGTH..].copy_from_slice(text.as_bytes());
        place[..LENGTH].copy_from_slice(&(text.len() as u16).to_le_bytes());
        let name = self.next as Name;
        self.next = end;
        self.used = self.used.max(end);
        self.known.insert(text.into(), name);
        name
    }

    /// Goes on in other memory; what was named stays in the former, and is not known any more.
    pub(super) fn move_to(&mut self, memory: M) {
        *self = Self::new(memory);
    }

    /// How many bytes of the memory names have ever taken.
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
            let mut names = Names::new(vec![0; 3 << 16]);
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
        let mut names = Names::new(vec![0; 192]);
        let first = names.intern("fetch");
        let used = names.used();
        assert_eq!((names.intern("fetch"), names.used()), (first, used));
    }

    #[test]
    fn a_text_without_room_is_nothing_and_counted() {
        let mut names = Names::new(vec![0; 36]);
        assert_ne!(names.intern("one"), 0);
        assert_eq!(names.intern("another one"), 0);
        assert_eq!(names.refused(), 1);
    }

    #[test]
    fn names_last_until_their_part_of_the_memory_is_needed_again() {
        let mut names = Names::new(vec![0; 3 * 64]);
        let (first, mut last) = (names.intern("first"), 0);
        for text in ["second", "third"] {
            names.forget_oldest();
            assert_eq!(text_of(&names, first), "first");
            last = names.intern(text);
        }
        names.forget_oldest();
        assert_eq!((text_of(&names, first), text_of(&names, last)), ("", "third"));
        assert_ne!(names.intern("third"), last);
        assert!(names.used() <= 3 * 64);
    }

    #[test]
    fn a_part_that_is_full_leaves_the_others_alone() {
        let mut names = Names::new(vec![0; 3 * 16]);
        names.forget_oldest();
        let kept: Vec<_> = ["abc", "defg", "hijk"].map(|it| names.intern(it)).into();
        let texts: Vec<_> = kept.iter().map(|it| text_of(&names, *it)).collect();
        assert_eq!((texts, names.refused()), (vec!["abc", "defg", ""], 1));
    }

    fn text_of(names: &Names<Vec<u8>>, name: Name) -> &str {
        text(names.memory(), name)
    }

    #[test]
    fn a_long_text_keeps_its_beginning() {
        let mut names = Names::new(vec![0; 6 * LONGEST]);
        let name = names.intern(&"ä".repeat(LONGEST));
        assert_eq!(text(names.memory(), name), "ä".repeat(LONGEST / 2));
    }
}
