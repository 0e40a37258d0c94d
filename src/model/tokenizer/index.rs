//! Finds numbered things by what they are, in some five bytes a thing.

/// The numbers of things: each in the first slot, from the one its thing's hash says, that was free.
#[derive(Debug)]
pub(super) struct Index {
    /// As many as a power of two, at most three quarters of them taken.
    slots: Vec<u32>,
}

/// No number.
const FREE: u32 = u32::MAX;

impl Index {
    /// Room for `count` things.
    pub(super) fn new(count: usize) -> Self {
        let slots = (count + count / 3 + 1).next_power_of_two();
        Self {
            slots: vec![FREE; slots],
        }
    }

    /// The number whose thing `is_it`; only those are looked at that may have this hash.
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let number = self.slots[self.slot(hash, is_it)];
        (number != FREE).then_some(number)
    }

    /// Sets down `number` under this hash, in place of the one whose thing `is_it`, where there is one.
    ///
    /// To be called for as many things as there is room for.
    pub(super) fn insert(&mut self, hash: u64, number: u32, is_it: impl Fn(u32) -> bool) {
        let slot = self.slot(hash, is_it);
        self.slots[slot] = number;
    }

    /// The slot of that thing, else the one it would be set down in.
    fn slot(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> usize {
        let last = self.slots.len() - 1;
        let mut slot = hash as usize & last;
        while self.slots[slot] != FREE && !is_it(self.slots[slot]) {
            slot = (slot + 1) & last;
        }
        slot
    }
}

/// Hash of a text.
pub(super) fn hash_text(text: &str) -> u64 {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let words = words.iter().chain([&last]).copied();
    words.map(u64::from_le_bytes).fold(text.len() as u64, mix)
}

/// Hash of two numbers.
pub(super) fn hash_pair(left: u32, right: u32) -> u64 {
    mix(0, u64::from(left) << 32 | u64::from(right))
}

/// Takes in a word; every bit of it changes about half of the low bits.
fn mix(state: u64, word: u64) -> u64 {
    let product = u128::from(state ^ word ^ SEED) * u128::from(FACTOR);
    (product >> 64) as u64 ^ product as u64
}

/// Digits of 2^64 / φ and of √2: numbers without a pattern.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
const SEED: u64 = 0x6A09_E667_F3BC_C908;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_set_down_and_nothing_else() {
        for count in [0, 1, 2, 3, 1000] {
            let things: Vec<String> = (0..count).map(|i| format!("thing {i}")).collect();
            let mut index = Index::new(count);
            for (number, thing) in (0..).zip(&things) {
                index.insert(hash_text(thing), number, |n| things[n as usize] == *thing);
            }
            let find = |text: &str| index.find(hash_text(text), |n| things[n as usize] == text);
            for (number, thing) in (0..).zip(&things) {
                assert_eq!(find(thing), Some(number));
            }
            assert_eq!(find("nothing"), None);
        }
    }

    #[test]
    fn the_later_of_two_equal_things_is_found() {
        let mut index = Index::new(3);
        let things = [7, 8, 7];
        for (number, thing) in (0..).zip(things) {
            index.insert(hash_pair(thing, 1), number, |n| things[n as usize] == thing);
        }
        assert_eq!(
            index.find(hash_pair(7, 1), |n| things[n as usize] == 7),
            Some(2)
        );
    }

    #[test]
    fn hashes_spread_over_the_slots() {
        let texts = (0..4096).map(|i| hash_text(&format!("{i}")));
        let pairs = (0..4096).map(|i| hash_pair(i / 64, i % 64));
        for hashes in [texts.collect::<Vec<_>>(), pairs.collect()] {
            let mut taken = vec![0; 4096];
            hashes
                .iter()
                .for_each(|hash| taken[*hash as usize % 4096] += 1);
            // By chance, 37 % of the slots stay free and none takes more than seven or so.
            assert!(taken.iter().filter(|&&count| count > 0).count() > 2400);
            assert!(taken.iter().all(|&count| count < 12));
        }
    }
}
