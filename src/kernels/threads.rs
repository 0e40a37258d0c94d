//! Fork and join: one function, called for every chunk index by a few threads, the caller among them.
//!
//! Chunks are handed out one by one from a counter, so a slow or stolen core does not hold up the rest; a worker
//! that wakes up after the last chunk was handed out is not waited for. Workers spin for [`SPIN`] after a turn,
//! then park; they do not spin at all where there are more threads than cores.
//!
//! This file is the pool as its users see it; `turn` is the protocol between the caller and the workers.

#![allow(
    unsafe_code,
    reason = "threads write disjoint columns and scratch of one slice"
)]

mod turn;

use std::panic::resume_unwind;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::columns::ColumnsMut;
use turn::{Shared, lock};

/// How long a worker looks for the next turn before it parks, and the caller for the last worker to leave.
pub const SPIN: Duration = Duration::from_micros(10);

/// A few threads that run one job at a time together with whoever brings it.
///
/// Share it by `Arc` or by reference. Where a job is brought while another runs (from another thread, or from
/// inside the job), its chunks run one after the other on the thread that brought it.
#[derive(Debug)]
pub struct Threads {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

impl Threads {
    /// A pool in which `count` threads work: the caller of [`Threads::run`] and `count - 1` of its own.
    ///
    /// 0 counts as 1. Where the system refuses a thread, the pool has fewer.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let spin = if count > cores { Duration::ZERO } else { SPIN };
        let shared = Arc::new(Shared::new(count.saturating_sub(1), spin));
        let workers = (1..count)
            .map_while(|slot| {
                let shared = Arc::clone(&shared);
                let builder = thread::Builder::new().name(format!("kernels-{slot}"));
                builder.spawn(move || shared.work(slot)).ok()
            })
            .collect();
        Self { shared, workers }
    }

    /// How many threads work on a job, the caller counted.
    #[must_use]
    pub fn count(&self) -> usize {
        self.workers.len() + 1
    }

    /// Calls `job` once for every number under `chunks`, in any order, and returns when all calls have returned.
    ///
    /// # Panics
    /// If a call panics: with the panic of the first that does, after the calls under way have ended; chunks not
    /// yet begun are left out. The pool stays usable.
    pub fn run(&self, chunks: usize, job: &(dyn Fn(usize) + Sync)) {
        self.run_slots(chunks, &|chunk, _slot| job(chunk));
    }

    /// As [`Threads::run`]; `job` also gets the slot of the thread it runs on, a number under [`Threads::count`]
    /// that no two calls under way share.
    ///
    /// # Panics
    /// As [`Threads::run`].
    pub fn run_slots(&self, chunks: usize, job: &(dyn Fn(usize, usize) + Sync)) {
        let helpers = self.workers.len().min(chunks.saturating_sub(1));
        if helpers == 0 || self.shared.busy.swap(true, Ordering::Acquire) {
            (0..chunks).for_each(|chunk| job(chunk, 0));
            return;
        }
        let caught = self.shared.lead(chunks, job, &self.workers[..helpers]);
        self.shared.busy.store(false, Ordering::Release);
        if let Some(payload) = caught {
            resume_unwind(payload);
        }
    }

    /// Calls `job` with every item, each on some thread.
    ///
    /// # Panics
    /// As [`Threads::run`].
    pub fn run_each<I>(&self, items: I, job: impl Fn(I::Item) + Sync)
    where
        I: ExactSizeIterator + Send,
    {
        let chunks = items.len();
        let items = Mutex::new(items);
        self.run(chunks, &|_| {
            let item = lock(&items).next();
            if let Some(item) = item {
                job(item);
            }
        });
    }

    /// Calls `job` with disjoint ranges of the columns of `out` that cover all, `columns_per_chunk` in each but
    /// the last.
    ///
    /// # Panics
    /// As [`Threads::run`], and if `columns_per_chunk` is 0.
    pub fn run_columns(
        &self,
        out: ColumnsMut<'_>,
        columns_per_chunk: usize,
        job: impl Fn(ColumnsMut<'_>) + Sync,
    ) {
        let mut no_scratch = vec![(); self.count()]; // of size zero: allocates nothing
        self.run_columns_with(out, columns_per_chunk, &mut no_scratch, |part, ()| {
            job(part);
        });
    }

    /// As [`Threads::run_columns`]; calls that run on one thread share one of the `scratch` values.
    ///
    /// # Panics
    /// As [`Threads::run_columns`], and if `scratch` has fewer values than [`Threads::count`].
    pub fn run_columns_with<S: Send>(
        &self,
        out: ColumnsMut<'_>,
        columns_per_chunk: usize,
        scratch: &mut [S],
        job: impl Fn(ColumnsMut<'_>, &mut S) + Sync,
    ) {
        assert!(columns_per_chunk > 0, "chunks of no columns");
        assert!(
            scratch.len() >= self.count(),
            "scratch for fewer threads than there are"
        );
        let all = out.columns();
        let out = Handle(out);
        let scratch = Handle(scratch.as_mut_ptr());
        self.run_slots(all.len().div_ceil(columns_per_chunk), &|chunk, slot| {
            let start = all.start + chunk * columns_per_chunk;
            let end = all.end.min(start + columns_per_chunk);
            // SAFETY: every chunk index comes once, so these ranges are disjoint, and `out` itself is not written.
            let part = unsafe { out.get().part(start..end) };
            // SAFETY: slot < count <= scratch.len(), and no two calls under way share a slot.
            let own = unsafe { &mut *scratch.get().add(slot) };
            job(part, own);
        });
    }
}

/// Shows all threads a value that they read only to reach disjoint parts of what it points to.
struct Handle<T>(T);

impl<T> Handle<T> {
    fn get(&self) -> &T {
        &self.0
    }
}

// SAFETY: `run_columns_with`, its only user, derives one disjoint Send part for each call under way.
unsafe impl<T> Sync for Handle<T> {}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            // A worker catches what its jobs panic with, so it has no panic of its own to pass on.
            drop(worker.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::AtomicUsize;
    use std::sync::{Barrier, mpsc};

    use super::*;

    /// Fewer where an emulator or an interpreter is slow at passing from thread to thread.
    const ROUNDS: usize = if cfg!(miri) {
        20
    } else if cfg!(target_arch = "x86_64") {
        20_000
    } else {
        2_000
    };

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
                let threads = Threads::new(count);
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
                let threads = Threads::new(count);
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
            let threads = Threads::new(3);
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
}
