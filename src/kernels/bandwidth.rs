//! How fast all threads together read memory: what decoding is bound by, since a token reads every weight once.

use std::hint::black_box;
use std::time::Instant;

use super::threads::Threads;

/// Bytes in a chunk: read in 10 to 100 µs, and far apart enough that pages and banks are not shared.
const CHUNK_BYTES: usize = 256 << 10;

/// Reads `bytes` once with all threads, each its own part in order, and returns bytes per second.
///
/// `bytes` should be much larger than all caches (512 MiB and more) and written once before, or pages that were
/// never touched are all read from one page of zeros. Take the best of several passes: other work only slows.
#[must_use]
pub fn read_bandwidth(threads: &Threads, bytes: &[u8]) -> f64 {
    let start = Instant::now();
    threads.run(bytes.len().div_ceil(CHUNK_BYTES), &|chunk| {
        let from = chunk * CHUNK_BYTES;
        let until = bytes.len().min(from + CHUNK_BYTES);
        black_box(fold(&bytes[from..until]));
    });
    bytes.len() as f64 / start.elapsed().as_secs_f64()
}

/// Folds all bytes into one word, so that each has to be loaded.
fn fold(bytes: &[u8]) -> u64 {
    /// One cache line a step, in lanes that the compiler makes vectors of.
    const LANES: usize = 8;
    let mut lanes = [0u64; LANES];
    let (lines, rest) = bytes.as_chunks::<{ 8 * LANES }>();
    for line in lines {
        let (words, _) = line.as_chunks::<8>();
        for (lane, word) in lanes.iter_mut().zip(words) {
            *lane ^= u64::from_ne_bytes(*word);
        }
    }
    let rest = rest.iter().fold(0, |rest, &byte| rest ^ u64::from(byte));
    lanes.iter().fold(rest, |folded, lane| folded ^ lane)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_read() {
        for length in [0, 1, 7, 8, 63, 64, 65, 200] {
            let mut bytes = vec![0u8; length];
            assert_eq!(fold(&bytes), 0);
            for i in 0..length {
                bytes[i] = 1;
                assert_ne!(fold(&bytes), 0, "byte {i} of {length}");
                bytes[i] = 0;
            }
        }
    }

    #[test]
    fn tells_a_speed_whatever_the_length() {
        let bytes = vec![1; 2 * CHUNK_BYTES + 1];
        for count in [1, 3] {
            let threads = Threads::new(count);
            for length in [1, CHUNK_BYTES, bytes.len()] {
                let speed = read_bandwidth(&threads, &bytes[..length]);
                assert!(speed.is_finite() && speed > 0.0, "{length}: {speed}");
            }
        }
    }
}
