//! How the caller and the workers of a pool pass a job: who may look at it when, who sleeps, who wakes whom.
//!
//! One atomic word holds the turn number, the number of workers inside the job, and whether the job is open.
//! Workers enter with a compare-and-swap while it is open; the caller closes it and waits until none is inside.
//! The job itself is only written while it is closed and empty.

#![allow(
    unsafe_code,
    reason = "a job borrows from its caller's stack, which `lead` outlives it on"
)]

use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What a job is, while it runs.
struct Job {
    call: *const (dyn Fn(usize, usize) + Sync),
    chunks: usize,
}

/// The word that workers watch, alone in its cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Line<T>(T);

#[derive(Default)]
pub(super) struct Shared {
    /// Turn number << 32 | workers inside << 1 | open.
    state: Line<AtomicU64>,
    /// The next chunk to hand out.
    next: Line<AtomicUsize>,
    job: UnsafeCell<Option<Job>>,
    /// A caller is between the start and the end of `lead`.
    pub(super) busy: AtomicBool,
    pub(super) stop: AtomicBool,
    spin: Duration,
    /// For each worker: it is about to park.
    sleeping: Box<[AtomicBool]>,
    caller_waits: AtomicBool,
    all_left: (Mutex<()>, Condvar),
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

// SAFETY: `job` is written by the caller that holds `busy` while the state is closed and empty, and read by
// workers that have entered; all else is Sync by itself.
unsafe impl Sync for Shared {}
// SAFETY: the pointer in `job` is only followed while `lead` keeps what it points to alive.
unsafe impl Send for Shared {}

const OPEN: u64 = 1;
const INSIDE: u64 = 2;
const INSIDE_MASK: u64 = (1 << 32) - INSIDE;
const TURN_SHIFT: u32 = 32;

impl Shared {
    /// The state of a pool with so many workers, before its first turn.
    pub(super) fn new(workers: usize, spin: Duration) -> Self {
        let sleeping = (0..workers).map(|_| AtomicBool::new(false)).collect();
        Self {
            spin,
            sleeping,
            ..Self::default()
        }
    }

    /// The caller's side of one job; `busy` is held. Returns what a chunk panicked with.
    pub(super) fn lead(
        &self,
        chunks: usize,
        job: &(dyn Fn(usize, usize) + Sync),
        helpers: &[JoinHandle<()>],
    ) -> Option<Box<dyn Any + Send>> {
        // SAFETY: only the lifetime changes; the pointer is cleared before this function returns.
        let call: &'static (dyn Fn(usize, usize) + Sync) = unsafe { std::mem::transmute(job) };
        // SAFETY: closed and empty (the end of the last `lead` made it so) and `busy` held: nobody looks.
        unsafe { *self.job.get() = Some(Job { call, chunks }) };
        self.next.0.store(0, Ordering::Relaxed);
        let turn = (self.state.0.load(Ordering::Relaxed) >> TURN_SHIFT).wrapping_add(1);
        self.state
            .0
            .store(turn << TURN_SHIFT | OPEN, Ordering::SeqCst);
        for (worker, sleeping) in helpers.iter().zip(&self.sleeping) {
            if sleeping.swap(false, Ordering::SeqCst) {
                worker.thread().unpark();
            }
        }
        self.take_chunks(chunks, job, 0);
        self.state.0.fetch_and(!OPEN, Ordering::SeqCst);
        self.wait_until_all_left();
        // SAFETY: closed and empty again.
        unsafe { *self.job.get() = None };
        lock(&self.panic).take()
    }

    /// Works off chunks until none is left; keeps the first panic.
    fn take_chunks(&self, chunks: usize, job: &(dyn Fn(usize, usize) + Sync), slot: usize) {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            loop {
                let chunk = self.next.0.fetch_add(1, Ordering::Relaxed);
                if chunk >= chunks {
                    break;
                }
                job(chunk, slot);
            }
        }));
        if let Err(payload) = outcome {
            self.next.0.store(chunks, Ordering::Relaxed);
            lock(&self.panic).get_or_insert(payload);
        }
    }

    fn is_inside(&self) -> bool {
        self.state.0.load(Ordering::SeqCst) & INSIDE_MASK != 0
    }

    fn wait_until_all_left(&self) {
        if spin_until(self.spin, || !self.is_inside()) {
            return;
        }
        self.caller_waits.store(true, Ordering::SeqCst);
        let mut guard = lock(&self.all_left.0);
        while self.is_inside() {
            guard = self
                .all_left
                .1
                .wait(guard)
                .unwrap_or_else(PoisonError::into_inner);
        }
        drop(guard);
        self.caller_waits.store(false, Ordering::SeqCst);
    }

    /// A worker's life.
    pub(super) fn work(&self, slot: usize) {
        let mut seen = 0;
        while self.wait_for_turn(slot, seen) {
            let Some(turn) = self.enter(seen) else {
                continue;
            };
            seen = turn;
            // SAFETY: entered, so `lead` is waiting for this worker to leave and does not touch the job.
            if let Some(job) = unsafe { &*self.job.get() } {
                // SAFETY: `lead` keeps the closure alive until every worker has left.
                self.take_chunks(job.chunks, unsafe { &*job.call }, slot);
            }
            let left = self.state.0.fetch_sub(INSIDE, Ordering::SeqCst) - INSIDE;
            let last = left & (INSIDE_MASK | OPEN) == 0;
            if last && self.caller_waits.load(Ordering::SeqCst) {
                drop(lock(&self.all_left.0));
                self.all_left.1.notify_one();
            }
        }
    }

    /// Whether there is an open job of another turn than `seen`.
    fn is_new(state: u64, seen: u64) -> bool {
        state & OPEN != 0 && state >> TURN_SHIFT != seen
    }

    /// Returns true when there may be something to enter, false when the pool ends.
    fn wait_for_turn(&self, slot: usize, seen: u64) -> bool {
        let ready = || {
            Self::is_new(self.state.0.load(Ordering::SeqCst), seen)
                || self.stop.load(Ordering::SeqCst)
        };
        if !spin_until(self.spin, ready) {
            let sleeping = &self.sleeping[slot - 1];
            loop {
                // Either this look sees the new state, or `lead`, which stores first, sees `sleeping` and unparks.
                // Anew each time: `lead` has cleared it, and the turn may be over by now.
                sleeping.store(true, Ordering::SeqCst);
                if ready() {
                    break;
                }
                thread::park();
            }
            sleeping.store(false, Ordering::SeqCst);
        }
        !self.stop.load(Ordering::SeqCst)
    }

    /// Enters the open job if it is of another turn than `seen`; returns its turn.
    fn enter(&self, seen: u64) -> Option<u64> {
        let enter = |state| Self::is_new(state, seen).then_some(state + INSIDE);
        let state = self
            .state
            .0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, enter)
            .ok()?;
        Some(state >> TURN_SHIFT)
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Looks at `ready` for as long as `limit`; returns whether it came true.
fn spin_until(limit: Duration, ready: impl Fn() -> bool) -> bool {
    const LOOKS_A_CLOCK_READ: usize = 16;
    if limit.is_zero() {
        return ready();
    }
    let start = Instant::now();
    loop {
        for _ in 0..LOOKS_A_CLOCK_READ {
            if ready() {
                return true;
            }
            std::hint::spin_loop();
        }
        if start.elapsed() > limit {
            return false;
        }
    }
}

/// Locks; a panic elsewhere has not broken anything these locks guard.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
