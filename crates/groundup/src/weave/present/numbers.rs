//! Tables by numbers that a recorder gives: addresses, descriptors, names.
//!
//! A table is asked several times for each record. Nobody but the recorded program chooses the numbers,
//! so they need no hash that withstands an enemy, only one that uses all of their bits.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A table by numbers.
pub type ByNumber<K, V> = HashMap<K, V, BuildHasherDefault<NumberHasher>>;

/// Mixes one number.
#[derive(Clone, Copy, Debug, Default)]
pub struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        let mixed = u128::from(self.0 ^ number) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (mixed ^ (mixed >> 64)) as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::BuildHasher;

    use super::*;

    #[test]
    fn addresses_differ_in_the_bits_that_a_table_uses() {
        let hash = |number: u64| BuildHasherDefault::<NumberHasher>::default().hash_one(number);
        let hashes = (0..1024).map(|it| hash(0x7f12_3456_0000 + 64 * it));
        let (low, high): (HashSet<_>, HashSet<_>) =
            hashes.map(|hash| (hash & 0x3ff, hash >> 57)).unzip();
        assert!(low.len() > 512, "{}", low.len());
        assert_eq!(high.len(), 128);
    }
}
