//! The pool under load: every chunk once, nobody forgotten, panics carried on.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Barrier, mpsc};

use proptest::prelude::*;

use super::attendance::Rules;
use super::*;

/// Fewer where an emulator or an interpreter is slow at passing from thread to thread.
const ROUNDS: usize = if cfg!(miri) {
    20
} else if cfg!(target_arch = "x86_64") {
    20_000
} else {
    2_000
};

/// A pool that leaves nobody out, however the machine runs it: for jobs that need every thread.
fn patient(count: usize) -> Threads {
    let mut timing = Timing::new(ThreadOptions::new(count).spin);
    timing.rules.wait_min = u64::MAX;
    Threads::with_timing(count, timing, None)
}

fn counts_of(threads: &Threads, chunks: usize) -> Vec<usize> {
    let counts: Vec<_> = (0..chunks).map(|_| AtomicUsize::new(0)).collect();
    threads.run(chunks, &|chunk| {
        counts[chunk].fetch_add(1, Ordering::Relaxed);
    });
    counts.into_iter().map(AtomicUsize::into_inner).collect()
}

/// Every thread of the pool has to come, or this waits until the test's time is out.
fn all_threads_meet(threads: &Threads) {
    let meeting = Barrier::new(threads.count());
    threads.run(threads.count(), &|_| {
        meeting.wait();
    });
}

/// Fails instead of hanging where a wake-up is lost.
fn in_time(test: impl FnOnce() + Send + 'static) {
    let (done, wait) = mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        test();
        drop(done);
    });
    let outcome = wait.recv_timeout(Duration::from_secs(120));
    assert_eq!(
        outcome,
        Err(mpsc::RecvTimeoutError::Disconnected),
        "a thread did not come"
    );
    thread.join().unwrap();
}

#[test]
fn calls_every_chunk_once_for_any_number_of_threads() {
    for count in [0, 1, 2, 3, 8] {
        let threads = Threads::new(count);
        assert_eq!(threads.count(), count.max(1));
        for chunks in [0, 1, 2, 3, 7, 8, 9, 1000] {
            assert_eq!(
                counts_of(&threads, chunks),
                vec![1; chunks],
                "{count} {chunks}"
            );
        }
    }
}

#[test]
fn survives_many_tiny_runs() {
    in_time(|| {
        for count in [2, 4] {
            let threads = patient(count);
            let total = AtomicUsize::new(0);
            for round in 0..ROUNDS {
                threads.run(round % 5, &|_| {
                    total.fetch_add(1, Ordering::Relaxed);
                });
                assert_eq!(total.swap(0, Ordering::Relaxed), round % 5);
            }
            all_threads_meet(&threads);
        }
    });
}

#[test]
fn wakes_every_parked_worker_every_time() {
    in_time(|| {
        for count in [2, 3, 6] {
            let threads = patient(count);
            for round in 0..ROUNDS / 40 {
                // Runs that end before anyone wakes, at all distances from a worker's falling asleep.
                threads.run(2, &|_| {});
                thread::sleep(Duration::from_micros((round % 50) as u64));
                threads.run(2, &|_| {});
                all_threads_meet(&threads);
            }
        }
    });
}

#[test]
fn carries_a_panic_to_the_caller_and_stays_usable() {
    in_time(|| {
        let threads = patient(3);
        for bad in 0..ROUNDS.min(200) {
            // Past the panic hook: nothing is printed.
            let job = |chunk| {
                if chunk == bad {
                    resume_unwind(Box::new(chunk))
                }
            };
            let caught = catch_unwind(AssertUnwindSafe(|| threads.run(200, &job)));
            assert_eq!(caught.unwrap_err().downcast_ref(), Some(&bad));
            assert_eq!(counts_of(&threads, 10), vec![1; 10]);
        }
        all_threads_meet(&threads);
    });
}

#[test]
fn runs_serially_inside_a_job_and_beside_another_caller() {
    in_time(|| {
        let threads = Threads::new(3);
        let total = AtomicUsize::new(0);
        let nested = || {
            threads.run(8, &|_| {
                threads.run(8, &|_| {
                    total.fetch_add(1, Ordering::Relaxed);
                });
            });
        };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..ROUNDS / 100).for_each(|_| nested()));
            }
        });
        assert_eq!(total.into_inner(), 4 * (ROUNDS / 100) * 64);
    });
}

#[test]
fn gives_every_call_under_way_a_slot_of_its_own() {
    let threads = Threads::new(4);
    let taken: Vec<_> = (0..threads.count()).map(|_| Mutex::new(())).collect();
    threads.run_slots(500, &|_, slot| drop(taken[slot].try_lock().unwrap()));
}

#[test]
fn each_thread_takes_its_part_in_order_and_then_ends_of_others() {
    in_time(|| {
        let threads = patient(3);
        let taken: Vec<_> = (0..3).map(|_| Mutex::new(Vec::new())).collect();
        let meeting = Barrier::new(3);
        // Slot 0 is held up in its first chunk until all the others are done.
        let done = AtomicUsize::new(0);
        threads.run_slots(90, &|chunk, slot| {
            let first = lock(&taken[slot]).is_empty();
            lock(&taken[slot]).push(chunk);
            if first {
                meeting.wait();
            }
            while first && slot == 0 && done.load(Ordering::SeqCst) < 89 {
                thread::yield_now();
            }
            done.fetch_add(1, Ordering::SeqCst);
        });
        let [held_up, others @ ..] = &taken[..] else {
            unreachable!("three slots")
        };
        assert_eq!(*lock(held_up), [0]);
        for (slot, taken) in (1..).zip(others) {
            let taken = lock(taken);
            let own = slot * 30..(slot + 1) * 30;
            let own_taken: Vec<_> = taken.iter().filter(|&chunk| own.contains(chunk)).collect();
            assert!(own_taken.is_sorted(), "{taken:?}");
            assert_eq!(taken[0], own.start, "{taken:?}");
            let stolen: Vec<_> = taken.iter().filter(|chunk| **chunk < 30).collect();
            assert!(stolen.is_sorted_by(|a, b| a > b), "{taken:?}");
        }
        let mut all: Vec<_> = taken.iter().flat_map(|taken| lock(taken).clone()).collect();
        all.sort_unstable();
        assert_eq!(all, (0..90).collect::<Vec<_>>());
    });
}

#[test]
fn a_worker_that_held_up_the_caller_is_left_out_and_comes_back() {
    const MS: u64 = 1_000_000;
    in_time(|| {
        // The time is what the test says; how often the clock was read tells when the caller waits.
        let (time, reads) = (Arc::new(AtomicU64::new(MS)), Arc::new(AtomicU64::new(0)));
        let timing = Timing {
            spin: Duration::ZERO,
            clock: {
                let (time, reads) = (Arc::clone(&time), Arc::clone(&reads));
                Box::new(move || {
                    reads.fetch_add(1, Ordering::SeqCst);
                    time.load(Ordering::SeqCst)
                })
            },
            rules: Rules {
                wait_min: MS,
                wait_chunks: 4,
                presence_per_loss: 8,
                absence_per_loss: 10,
                absence_min: MS,
                absence_max: 500 * MS,
            },
            core: None,
        };
        let threads = Threads::with_timing(2, timing, None);
        let meeting = Barrier::new(2);
        let hold_up_for = |lost: u64| {
            let before = reads.load(Ordering::SeqCst);
            threads.run_slots(2, &|_, slot| {
                meeting.wait();
                // The caller reads the clock when it begins, and again when it has come to wait.
                while slot == 1 && reads.load(Ordering::SeqCst) < before + 2 {
                    thread::yield_now();
                }
                if slot == 1 {
                    time.fetch_add(lost, Ordering::SeqCst);
                }
            });
        };
        let runs_alone = || {
            let caller = thread::current().id();
            threads.run(50, &|_| assert_eq!(thread::current().id(), caller));
        };
        hold_up_for(MS / 2); // Too short to matter: it is there the next time.
        hold_up_for(5 * MS);
        runs_alone();
        time.fetch_add(49 * MS, Ordering::SeqCst);
        runs_alone();
        time.fetch_add(MS, Ordering::SeqCst);
        hold_up_for(5 * MS); // Back, and at it again: twice as long.
        time.fetch_add(99 * MS, Ordering::SeqCst);
        runs_alone();
        time.fetch_add(MS, Ordering::SeqCst);
        all_threads_meet(&threads);
    });
}

#[test]
fn a_worker_on_its_callers_core_leaves_it_to_the_caller_and_comes_back() {
    in_time(|| {
        // The test says which time it is, and whether the worker has a core of its own.
        let (time, apart) = (Arc::new(AtomicU64::new(1)), Arc::new(AtomicU64::new(0)));
        let caller = thread::current().id();
        let mut timing = Timing::new(Duration::ZERO);
        timing.rules.wait_min = u64::MAX;
        timing.clock = {
            let time = Arc::clone(&time);
            Box::new(move || time.load(Ordering::SeqCst))
        };
        timing.core = Some({
            let apart = Arc::clone(&apart);
            Box::new(move || {
                let is_caller = thread::current().id() == caller;
                let own = apart.load(Ordering::SeqCst) == 1;
                Some(usize::from(!is_caller && own))
            })
        });
        let threads = Threads::with_timing(2, timing, None);
        for _ in 0..100 {
            threads.run(50, &|_| assert_eq!(thread::current().id(), caller));
        }
        apart.store(1, Ordering::SeqCst);
        // Longer than it is ever left out.
        time.fetch_add(Rules::default().absence_max + 1, Ordering::SeqCst);
        all_threads_meet(&threads);
    });
}

#[test]
fn each_worker_starts_with_its_slot() {
    in_time(|| {
        let (tell, told) = mpsc::channel();
        let mut options = ThreadOptions::new(4);
        options.on_start = Some(Box::new(move |slot| tell.send(slot).unwrap()));
        let threads = Threads::with_options(options);
        let mut slots: Vec<usize> = told.iter().take(3).collect();
        slots.sort_unstable();
        assert_eq!(slots, [1, 2, 3]);
        assert_eq!(counts_of(&threads, 9), [1; 9]);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 64 }))]

    #[test]
    fn every_chunk_comes_once_however_long_each_takes(
        count in 1_usize..6,
        pauses in prop::collection::vec(0_u32..200, 0..80),
    ) {
        let threads = Threads::new(count);
        let counts: Vec<_> = pauses.iter().map(|_| AtomicUsize::new(0)).collect();
        for _ in 0..4 {
            threads.run(pauses.len(), &|chunk| {
                (0..pauses[chunk]).for_each(|_| std::hint::spin_loop());
                counts[chunk].fetch_add(1, Ordering::Relaxed);
            });
        }
        prop_assert!(counts.into_iter().all(|count| count.into_inner() == 4));
    }
}

#[test]
fn hands_out_items_and_columns_once() {
    let threads = Threads::new(3);
    let mut items = vec![0; 100];
    threads.run_each(items.iter_mut().enumerate(), |(i, item)| *item += i);
    assert_eq!(items, (0..100).collect::<Vec<_>>());

    let (rows, columns, stride) = (5, 23, 30);
    let mut matrix = vec![0.0; rows * stride];
    let mut scratch = vec![0; threads.count()];
    let out = ColumnsMut::new(&mut matrix, rows, columns, stride);
    threads.run_columns_with(out, 4, &mut scratch, |mut part, columns| {
        *columns += part.columns().len();
        for row in 0..part.rows() {
            let numbers = part.columns();
            for (value, column) in part.row(row).iter_mut().zip(numbers) {
                *value += (row * 100 + column + 1) as f32;
            }
        }
    });
    assert_eq!(scratch.iter().sum::<usize>(), columns);
    for (place, value) in matrix.into_iter().enumerate() {
        let (row, column) = (place / stride, place % stride);
        let expected = if column < columns {
            row * 100 + column + 1
        } else {
            0
        };
        assert_eq!(value, expected as f32, "row {row} column {column}");
    }
}
