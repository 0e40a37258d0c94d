//! A 64-bit checksum about as fast as memory. It finds accidents: flipped bits, a truncated or a mixed-up file.
//!
//! ```text
//! lane[i] = step(lane[i], word)    for the 8 words of every 64 bytes, the last ones filled up with zeros
//! step(state, word) = (x ^ x >> 32) · odd          where x = state ^ word
//! ```
//!
//! A step can be undone, so two inputs of one length that differ in one word have different checksums; and it spreads
//! any one bit, so that another flip further on does not make up for it. The lanes do not wait for each other, which
//! hides the time a multiplication takes.

/// Words that are taken at a time, each into its own lane.
const LANES: usize = 8;
/// Bytes of those words.
const STRIPE_BYTES: usize = 8 * LANES;
/// 2^64 divided by the golden ratio, made odd.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// The checksum of `bytes`.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    let mut lanes = [0; LANES];
    for (lane, start) in lanes.iter_mut().zip(1u64..) {
        *lane = start.wrapping_mul(FACTOR);
    }
    let (stripes, rest) = bytes.as_chunks::<STRIPE_BYTES>();
    for stripe in stripes {
        take(&mut lanes, stripe);
    }
    if !rest.is_empty() {
        let mut last = [0; STRIPE_BYTES];
        last[..rest.len()].copy_from_slice(rest);
        take(&mut lanes, &last);
    }
    lanes.into_iter().fold(bytes.len() as u64, step)
}

/// The checksum of a sequence of checksums.
pub(super) fn checksum_of(checksums: impl IntoIterator<Item = u64>) -> u64 {
    let mut digest = Digest::default();
    checksums.into_iter().for_each(|word| digest.word(word));
    digest.finish()
}

#[inline]
fn take(lanes: &mut [u64; LANES], stripe: &[u8; STRIPE_BYTES]) {
    let (words, _) = stripe.as_chunks::<8>();
    for (lane, word) in lanes.iter_mut().zip(words) {
        *lane = step(*lane, u64::from_le_bytes(*word));
    }
}

#[inline]
fn step(state: u64, word: u64) -> u64 {
    let mixed = state ^ word;
    (mixed ^ mixed >> 32).wrapping_mul(FACTOR)
}

/// Numbers and texts one after the other, and the checksum of them all.
#[derive(Debug, Default)]
pub(super) struct Digest(Vec<u8>);

impl Digest {
    /// Adds a number.
    pub(super) fn word(&mut self, word: u64) {
        self.0.extend(word.to_le_bytes());
    }

    /// Adds some bytes, and how many they are.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        self.0.extend(bytes);
    }

    /// The checksum of what was added.
    pub(super) fn finish(&self) -> u64 {
        checksum(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_bit_and_every_length_counts() {
        let bytes: Vec<u8> = (0..200u8).map(|i| i.wrapping_mul(37)).collect();
        let mut seen = HashSet::new();
        for length in 0..=bytes.len() {
            assert!(seen.insert(checksum(&bytes[..length])), "length {length}");
        }
        for bit in 0..8 * bytes.len() {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(seen.insert(checksum(&bytes)), "bit {bit}");
        }
    }

    #[test]
    fn zeros_of_different_lengths_differ() {
        let zeros = [0; 300];
        let seen: HashSet<u64> = (0..=300).map(|n| checksum(&zeros[..n])).collect();
        assert_eq!(seen.len(), 301);
    }

    #[test]
    fn no_two_flips_in_one_lane_cancel() {
        let mut bytes = [0u8; 2 * STRIPE_BYTES];
        let before = checksum(&bytes);
        for (first, second) in (0..64).flat_map(|a| (0..64).map(move |b| (a, b))) {
            bytes[..8].copy_from_slice(&(1u64 << first).to_le_bytes());
            bytes[STRIPE_BYTES..][..8].copy_from_slice(&(1u64 << second).to_le_bytes());
            assert_ne!(checksum(&bytes), before, "bits {first} and {second}");
        }
    }

    #[test]
    fn the_order_counts() {
        assert_ne!(checksum_of([1, 2]), checksum_of([2, 1]));
        let (mut apart, mut joined) = (Digest::default(), Digest::default());
        apart.bytes(b"a");
        apart.bytes(b"b");
        joined.bytes(b"ab");
        joined.bytes(b"");
        assert_ne!(apart.finish(), joined.finish());
    }

    /// The value is part of the file's format: another function asks for another `FORMAT_VERSION`.
    #[test]
    fn is_what_files_already_hold() {
        assert_eq!(checksum(b""), 928_212_144_334_836_152);
        assert_eq!(checksum(b"packed weights"), 10_690_572_053_745_294_349);
    }
}
