//! The chunks that one thread begins with: it takes them from the front, in order; others take from the end.

use std::sync::atomic::{AtomicU64, Ordering};

/// A range of chunk numbers that shrinks from both ends: next << 32 | end.
///
/// Within a turn the one only grows and the other only shrinks, so no value comes twice and a compare-and-swap
/// hands out every chunk once. Relaxed: what the chunks work on is published by entering and leaving the turn.
#[derive(Debug, Default)]
pub(super) struct Part(AtomicU64);

const NEXT_SHIFT: u32 = 32;
const END_MASK: u64 = (1 << NEXT_SHIFT) - 1;

impl Part {
    /// Holds the chunks from `next` up to `end` from now on.
    pub(super) fn set(&self, next: u32, end: u32) {
        let word = u64::from(next) << NEXT_SHIFT | u64::from(end);
        self.0.store(word, Ordering::Relaxed);
    }

    /// How many chunks nobody has taken yet.
    pub(super) fn left(&self) -> u64 {
        left(self.0.load(Ordering::Relaxed))
    }

    /// The first chunk left, for the thread whose part it is.
    pub(super) fn take_first(&self) -> Option<u32> {
        let word = self.take(|word| word + (1 << NEXT_SHIFT))?;
        Some((word >> NEXT_SHIFT) as u32)
    }

    /// The last chunk left, for any other thread.
    pub(super) fn take_last(&self) -> Option<u32> {
        let word = self.take(|word| word - 1)?;
        Some(((word & END_MASK) - 1) as u32)
    }

    /// Returns the word before `shrink`, if a chunk was left in it.
    fn take(&self, shrink: impl Fn(u64) -> u64) -> Option<u64> {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
                (left(word) > 0).then(|| shrink(word))
            })
            .ok()
    }
}

fn left(word: u64) -> u64 {
    (word & END_MASK).saturating_sub(word >> NEXT_SHIFT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_taken_from_both_ends_until_they_meet() {
        let part = Part::default();
        assert_eq!((part.take_first(), part.take_last()), (None, None));
        part.set(3, 7);
        assert_eq!(part.left(), 4);
        assert_eq!((part.take_first(), part.take_last()), (Some(3), Some(6)));
        assert_eq!((part.take_last(), part.take_first()), (Some(5), Some(4)));
        assert_eq!((part.take_first(), part.take_last()), (None, None));
        assert_eq!(part.left(), 0);
    }

    #[test]
    fn reaches_the_largest_chunk_number() {
        let part = Part::default();
        part.set(u32::MAX - 2, u32::MAX);
        assert_eq!(part.take_last(), Some(u32::MAX - 1));
        assert_eq!(part.take_first(), Some(u32::MAX - 2));
        assert_eq!(part.take_first(), None);
    }
}
