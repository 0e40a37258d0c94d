//! How the caller and the workers of a pool pass a job: who may look at it when, who sleeps, who wakes whom.
//!
//! One atomic word holds the turn number, the number of workers inside the job, and whether the job is open.
//! Workers enter with a compare-and-swap while it is open; the caller closes it and waits until none is inside.
//! The job itself, and the parts of it that each thread begins with, are only written while it is closed and empty.

#![allow(
    unsafe_code,
    reason = "a job borrows from its caller's stack, which `lead` outlives it on"
)]

use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Core;
use super::attendance::{Attendance, Rules};
use super::part::Part;

/// What a job is, while it runs.
type Job = *const (dyn Fn(usize, usize) + Sync);

/// Nanoseconds since some moment; never goes back.
pub(super) type Clock = Box<dyn Fn() -> u64 + Send + Sync>;

/// The times a pool goes by.
pub(super) struct Timing {
    /// How long a worker looks for the next turn before it parks, and the caller for the last worker to leave.
    pub(super) spin: Duration,
    /// Tells who held up whom.
    pub(super) clock: Clock,
    /// Who is left out for how long.
    pub(super) rules: Rules,
    /// Tells who is in whose way.
    pub(super) core: Option<Core>,
}

impl Timing {
    /// The system's clock and the usual rules.
    pub(super) fn new(spin: Duration) -> Self {
        let start = Instant::now();
        let clock = move || u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Self {
            spin,
            clock: Box::new(clock),
            rules: Rules::default(),
            core: None,
        }
    }
}

/// The word that workers watch, alone in its cache lines: processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line<T>(T);

/// What concerns one thread; slot 0 is the caller.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Seat {
    part: Part,
    /// When this worker last left a turn.
    left: AtomicU64,
    /// Until when this worker is left out; 0 is not at all.
    absent_until: AtomicU64,
    /// This worker is about to park.
    sleeping: AtomicBool,
}

impl Seat {
    fn is_absent(&self) -> bool {
        self.absent_until.load(Ordering::SeqCst) != 0
    }
}

pub(super) struct Shared {
    /// Turn number << 32 | workers inside << 1 | open.
    state: Line<AtomicU64>,
    seats: Box<[Seat]>,
    job: UnsafeCell<Option<Job>>,
    /// A caller is between the start and the end of `lead`.
    busy: AtomicBool,
    stop: AtomicBool,
    timing: Timing,
    /// The core that the caller was on when it opened the job.
    caller_core: AtomicUsize,
    attendance: Mutex<Box<[Attendance]>>,
    caller_waits: AtomicBool,
    all_left: (Mutex<()>, Condvar),
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

// SAFETY: `job` is written by the caller that holds `busy` while the state is closed and empty, and read by
// workers that have entered; all else is Sync by itself.
unsafe impl Sync for Shared {}
// SAFETY: the pointer in `job` is only followed while `lead` keeps what it points to alive.
unsafe impl Send for Shared {}

/// Where the system does not tell.
const NO_CORE: usize = usize::MAX;
const OPEN: u64 = 1;
const INSIDE: u64 = 2;
const INSIDE_MASK: u64 = (1 << 32) - INSIDE;
const TURN_SHIFT: u32 = 32;

impl Shared {
    /// The state of a pool with so many workers, before its first turn.
    pub(super) fn new(workers: usize, timing: Timing) -> Self {
        Self {
            state: Line::default(),
            seats: (0..=workers).map(|_| Seat::default()).collect(),
            job: UnsafeCell::new(None),
            busy: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            timing,
            caller_core: AtomicUsize::new(NO_CORE),
            attendance: Mutex::new(vec![Attendance::default(); workers].into()),
            caller_waits: AtomicBool::new(false),
            all_left: Default::default(),
            panic: Mutex::new(None),
        }
    }

    /// The caller's side of one job; passes on what a chunk panicked with. Returns false, and has called nothing,
    /// where another caller is at it or all workers are left out.
    pub(super) fn lead(
        &self,
        chunks: u32,
        job: &(dyn Fn(usize, usize) + Sync),
        workers: &[JoinHandle<()>],
    ) -> bool {
        if self.busy.swap(true, Ordering::Acquire) {
            return false;
        }
        let began = (self.timing.clock)();
        let helpers = &workers[..workers.len().min(chunks as usize - 1)];
        let led = self.hand_out(chunks, helpers.len(), began);
        if led {
            self.open(job, helpers);
            let taken = self.take_chunks(job, 0);
            if self.state.0.fetch_and(!OPEN, Ordering::SeqCst) & INSIDE_MASK != 0 {
                let joined = (self.timing.clock)();
                self.wait_until_all_left();
                self.note_waits(joined, (joined - began.min(joined)) / taken.max(1));
            }
            // SAFETY: closed and empty again.
            unsafe { *self.job.get() = None };
        }
        let caught = led.then(|| lock(&self.panic).take()).flatten();
        self.busy.store(false, Ordering::Release);
        if let Some(payload) = caught {
            resume_unwind(payload);
        }
        led
    }

    /// Gives the caller and each helper that is not left out a part of the chunks; false if there is none such.
    fn hand_out(&self, chunks: u32, helpers: usize, now: u64) -> bool {
        let helpers = self.seats[1..=helpers].iter();
        let is_present = |seat: &&Seat| {
            let until = seat.absent_until.load(Ordering::Relaxed);
            if until != 0 && until <= now {
                seat.absent_until.store(0, Ordering::SeqCst);
            }
            until <= now
        };
        let present = helpers.clone().filter(is_present).count() as u64;
        if present == 0 {
            return false;
        }
        let takers = helpers.filter(|seat| !seat.is_absent());
        let bound = |i: u64| (u64::from(chunks) * i / (present + 1)) as u32;
        for (i, seat) in (0..).zip([&self.seats[0]].into_iter().chain(takers)) {
            seat.part.set(bound(i), bound(i + 1));
        }
        true
    }

    /// Shows `job` to the workers, and wakes those of the helpers that sleep and are not left out.
    fn open(&self, job: &(dyn Fn(usize, usize) + Sync), helpers: &[JoinHandle<()>]) {
        // SAFETY: only the lifetime changes; `lead` clears the pointer before it returns.
        let job: &'static (dyn Fn(usize, usize) + Sync) = unsafe { std::mem::transmute(job) };
        let core = self.core().unwrap_or(NO_CORE);
        self.caller_core.store(core, Ordering::Relaxed);
        // SAFETY: closed and empty (the end of the last `lead` made it so) and `busy` held: nobody looks.
        unsafe { *self.job.get() = Some(job) };
        let turn = self.turn() + 1;
        self.state
            .0
            .store(turn << TURN_SHIFT | OPEN, Ordering::SeqCst);
        for (worker, seat) in helpers.iter().zip(&self.seats[1..]) {
            if !seat.is_absent() && seat.sleeping.swap(false, Ordering::SeqCst) {
                worker.thread().unpark();
            }
        }
    }

    /// Works off chunks until none is left; keeps the first panic. Returns how many chunks it began.
    fn take_chunks(&self, job: &(dyn Fn(usize, usize) + Sync), slot: usize) -> u64 {
        let mut taken = 0;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            while let Some(chunk) = self.next_chunk(slot) {
                taken += 1;
                job(chunk as usize, slot);
            }
        }));
        if let Err(payload) = outcome {
            self.seats.iter().for_each(|seat| seat.part.set(0, 0));
            lock(&self.panic).get_or_insert(payload);
        }
        taken
    }

    /// The next chunk of the thread's own part, else the last of the part that has most left.
    fn next_chunk(&self, slot: usize) -> Option<u32> {
        let own = self.seats[slot].part.take_first();
        own.or_else(|| {
            loop {
                let parts = self.seats.iter().map(|seat| (seat.part.left(), &seat.part));
                let (left, part) = parts.max_by_key(|&(left, _)| left)?;
                if left == 0 {
                    return None;
                }
                if let Some(chunk) = part.take_last() {
                    return Some(chunk);
                }
            }
        })
    }

    fn is_inside(&self) -> bool {
        self.state.0.load(Ordering::SeqCst) & INSIDE_MASK != 0
    }

    fn wait_until_all_left(&self) {
        if spin_until(self.timing.spin, || !self.is_inside()) {
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

    /// Leaves out the workers for which the caller, which came to wait at `joined`, waited too long.
    fn note_waits(&self, joined: u64, chunk: u64) {
        let rules = &self.timing.rules;
        for (i, seat) in self.seats[1..].iter().enumerate() {
            let left = seat.left.load(Ordering::Relaxed);
            if left <= joined.saturating_add(rules.wait_min) {
                continue;
            }
            let until = lock(&self.attendance)[i].waited(rules, chunk, joined, left);
            if let Some(until) = until {
                seat.absent_until.store(until, Ordering::SeqCst);
            }
        }
    }

    /// A worker's life.
    pub(super) fn work(&self, slot: usize) {
        let seat = &self.seats[slot];
        let mut seen = 0;
        while self.wait_for_turn(seat, seen) {
            let Some(turn) = self.enter(seat, seen) else {
                continue;
            };
            seen = turn;
            if self.is_in_the_way() {
                let until = lock(&self.attendance)[slot - 1]
                    .in_the_way(&self.timing.rules, (self.timing.clock)());
                seat.absent_until.store(until, Ordering::SeqCst);
            // SAFETY: entered, so `lead` is waiting for this worker to leave and does not touch the job.
            } else if let Some(job) = unsafe { *self.job.get() } {
                // SAFETY: `lead` keeps the closure alive until every worker has left.
                self.take_chunks(unsafe { &*job }, slot);
            }
            seat.left.store((self.timing.clock)(), Ordering::Relaxed);
            let left = self.state.0.fetch_sub(INSIDE, Ordering::SeqCst) - INSIDE;
            let last = left & (INSIDE_MASK | OPEN) == 0;
            if last && self.caller_waits.load(Ordering::SeqCst) {
                drop(lock(&self.all_left.0));
                self.all_left.1.notify_one();
            }
        }
    }

    fn core(&self) -> Option<usize> {
        self.timing.core.as_ref().and_then(|core| core())
    }

    /// Whether the calling worker runs on the caller's core: all it does there, the caller could do itself.
    fn is_in_the_way(&self) -> bool {
        let core = self.core();
        core.is_some() && core == Some(self.caller_core.load(Ordering::Relaxed))
    }

    /// Whether there is an open job of another turn than `seen`, and the worker at `seat` is wanted.
    fn is_new(state: u64, seen: u64, seat: &Seat) -> bool {
        // In this order: what was read of the seat is at least as new as the turn.
        state & OPEN != 0 && state >> TURN_SHIFT != seen && !seat.is_absent()
    }

    /// Returns true when there may be something to enter, false when the pool ends.
    fn wait_for_turn(&self, seat: &Seat, seen: u64) -> bool {
        let ready = || {
            Self::is_new(self.state.0.load(Ordering::SeqCst), seen, seat)
                || self.stop.load(Ordering::SeqCst)
        };
        if !self.spin_for_turn(seat, ready) {
            loop {
                // Either this look sees the new state, or `lead`, which stores first, sees `sleeping` and unparks.
                // Anew each time: `lead` has cleared it, and the turn may be over by now.
                seat.sleeping.store(true, Ordering::SeqCst);
                if ready() {
                    break;
                }
                thread::park();
            }
            seat.sleeping.store(false, Ordering::SeqCst);
        }
        !self.stop.load(Ordering::SeqCst)
    }

    /// Looks at `ready` until turns are further apart than the pool spins; one that was missed is a turn too.
    fn spin_for_turn(&self, seat: &Seat, ready: impl Fn() -> bool) -> bool {
        loop {
            if seat.is_absent() {
                return ready();
            }
            let turn = self.turn();
            if !spin_until(self.timing.spin, || ready() || self.turn() != turn) {
                return false;
            }
            if ready() {
                return true;
            }
        }
    }

    /// The number of the last turn.
    fn turn(&self) -> u64 {
        self.state.0.load(Ordering::SeqCst) >> TURN_SHIFT
    }

    /// Enters the open job if it is of another turn than `seen`; returns its turn.
    fn enter(&self, seat: &Seat, seen: u64) -> Option<u64> {
        let enter = |state| Self::is_new(state, seen, seat).then(|| state + INSIDE);
        let state = self
            .state
            .0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, enter)
            .ok()?;
        Some(state >> TURN_SHIFT)
    }

    /// Tells the workers to end; they have to be woken.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("state", &self.state)
            .field("seats", &self.seats)
            .finish_non_exhaustive()
    }
}

/// Looks at `ready` for as long as `limit`; returns whether it came true.
///
/// Soon lets others have the core between looks: it may be the core of the thread that is waited for, or of one
/// that has work while this one has none.
fn spin_until(limit: Duration, ready: impl Fn() -> bool) -> bool {
    /// About 100 ns on x86 and ARM: so late is a change seen at most, and so seldom is the line asked for.
    const PAUSES_MAX: u32 = 8;
    /// Most turns come sooner, and are not to wait for a system call.
    const YIELD_AFTER: Duration = Duration::from_micros(5);
    if ready() {
        return true;
    }
    if limit.is_zero() {
        return false;
    }
    let start = Instant::now();
    let mut pauses = 1;
    loop {
        (0..pauses).for_each(|_| std::hint::spin_loop());
        if ready() {
            return true;
        }
        if pauses < PAUSES_MAX {
            pauses *= 2;
            continue;
        }
        match start.elapsed() {
            spent if spent > limit => return false,
            spent if spent > YIELD_AFTER => thread::yield_now(),
            _ => {}
        }
    }
}

/// Locks; a panic elsewhere has not broken anything these locks guard.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
