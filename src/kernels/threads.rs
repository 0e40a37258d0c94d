//! Fork and join: one function, called for every chunk index by a few threads, the caller among them.
//!
//! Each thread begins with its own part of the chunks and takes them in order, so it streams through memory, and
//! what it reads is the same from turn to turn. Who is done takes from the end of the part that has most left, so a
//! slow core does not hold up the rest. A worker that wakes up after the last chunk was taken is not waited for,
//! and one whose core was taken from it in the middle of a chunk, or that runs on its caller's core, is left out for a
//! while. Workers spin for [`SPIN`]
//! after a turn, then park; they do not spin at all where there are more threads than cores.
//!
//! This file is the pool as its users see it; `turn` is the protocol between the caller and the workers, `part`
//! hands out the chunks, `attendance` says who is left out for how long.

#![allow(
    unsafe_code,
    reason = "threads write disjoint columns and scratch of one slice"
)]

mod attendance;
mod part;
#[cfg(test)]
mod tests;
mod turn;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::columns::ColumnsMut;
use turn::{Shared, Timing, lock};

/// How long a worker looks for the next turn before it parks, and the caller for the last worker to leave.
///
/// Longer than the gaps between the products of one token, far shorter than a scheduler's time slice.
pub const SPIN: Duration = Duration::from_micros(40);

/// How a pool is set up.
pub struct ThreadOptions {
    /// How many threads work on a job, the caller counted; 0 counts as 1.
    pub count: usize,
    /// How long a waiting thread looks before it parks.
    pub spin: Duration,
    /// Called by each thread of the pool's own when it starts, with its slot: 1 and up. Must not panic.
    pub on_start: Option<Box<dyn Fn(usize) + Send + Sync>>,
    /// Tells the core that the calling thread runs on, where the system does. Must not panic.
    pub core: Option<Box<dyn Fn() -> Option<usize> + Send + Sync>>,
}

/// Tells the core that the calling thread runs on.
type Core = Box<dyn Fn() -> Option<usize> + Send + Sync>;

impl ThreadOptions {
    /// `count` threads that spin for [`SPIN`], or not at all where the process may use fewer cores.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            count,
            spin: if count > cores { Duration::ZERO } else { SPIN },
            on_start: None,
            core: None,
        }
    }
}

impl fmt::Debug for ThreadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadOptions")
            .field("count", &self.count)
            .field("spin", &self.spin)
            .finish_non_exhaustive()
    }
}

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
        Self::with_options(ThreadOptions::new(count))
    }

    /// As [`Threads::new`], set up in detail.
    #[must_use]
    pub fn with_options(options: ThreadOptions) -> Self {
        let timing = Timing {
            core: options.core,
            ..Timing::new(options.spin)
        };
        Self::with_timing(options.count, timing, options.on_start)
    }

    fn with_timing(
        count: usize,
        timing: Timing,
        on_start: Option<Box<dyn Fn(usize) + Send + Sync>>,
    ) -> Self {
        let shared = Arc::new(Shared::new(count.saturating_sub(1), timing));
        let on_start = Arc::new(on_start);
        let workers = (1..count)
            .map_while(|slot| {
                let (shared, on_start) = (Arc::clone(&shared), Arc::clone(&on_start));
                let builder = thread::Builder::new().name(format!("kernels-{slot}"));
                let work = move || {
                    if let Some(on_start) = &*on_start {
                        on_start(slot);
                    }
                    shared.work(slot);
                };
                builder.spawn(work).ok()
            })
            .collect();
        Self { shared, workers }
    }

    /// How many threads work on a job, the caller counted.
    #[must_use]
    pub fn count(&self) -> usize {
        self.workers.len() + 1
    }

    /// Calls `job` once for every number under `chunks`, and returns when all calls have returned.
    ///
    /// Each thread begins with a part of the numbers, ascending; the order between parts is not defined.
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
        let alone = chunks < 2 || self.workers.is_empty();
        let led = !alone
            && u32::try_from(chunks)
                .is_ok_and(|chunks| self.shared.lead(chunks, job, &self.workers));
        if !led {
            (0..chunks).for_each(|chunk| job(chunk, 0));
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
        self.shared.stop();
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            // A worker catches what its jobs panic with, so it has no panic of its own to pass on.
            drop(worker.join());
        }
    }
}
