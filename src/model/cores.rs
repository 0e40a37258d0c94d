//! Which processor cores compute: those the process may use, on boards that mix cores only the big ones.
//!
//! A fork/join waits for its slowest thread, and a little core is several times slower than a big one. Where all
//! cores are alike the scheduler is left alone: it moves a thread away from a core that other work has taken,
//! which a pinned thread cannot do. Pinning each thread to one core is for boards that run nothing else.
//!
//! Cores are read from the system's folder of them; where it says nothing they count as alike.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::thread::{self, ThreadId};
use std::time::Duration;

use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use nix::unistd::Pid;

use crate::kernels::{SPIN, ThreadOptions, Threads};

/// Where Linux describes the cores.
const SYSTEM_CORES: &str = "/sys/devices/system/cpu";

/// A core is big if it has at least this share of the best one's capacity, in percent.
const BIG_PERCENT: u128 = 80;

/// How many threads a model gets, the cores chosen for them, and how they are held there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cores {
    /// Numbers of the chosen cores, ascending; empty where the system does not say which may be used.
    chosen: Arc<[usize]>,
    threads: usize,
    /// Whether each thread can have a core for itself.
    enough: bool,
    hold: Hold,
}

/// What the process may use.
#[derive(Debug, Clone)]
struct Allowed {
    /// Numbers of the cores, ascending; empty where the system does not say.
    cores: Vec<usize>,
    /// How many threads can run at a time; fewer than there are cores where the process has a quota.
    parallelism: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// All cores are alike: wherever the scheduler likes.
    Free,
    /// To the chosen cores, the little ones left out.
    Together,
    /// Each thread to a core of its own.
    Each,
}

impl Cores {
    /// The cores for `threads` threads of this process, 0 for one a core; with `pin`, each is held to one.
    pub(super) fn of_this_process(threads: usize, pin: bool) -> Self {
        // Asked once: threads that are held to cores later may not use all that the process may.
        static ALLOWED: OnceLock<Allowed> = OnceLock::new();
        let allowed = ALLOWED.get_or_init(|| Allowed {
            cores: cores_of_this_thread(),
            parallelism: thread::available_parallelism().map_or(1, usize::from),
        });
        Self::choose(Path::new(SYSTEM_CORES), allowed, threads, pin)
    }

    /// Little cores are chosen only where more threads are asked for than there are big ones.
    fn choose(system: &Path, allowed: &Allowed, threads: usize, pin: bool) -> Self {
        let big = big_cores(system, &allowed.cores);
        let chosen: Arc<[usize]> = if threads > big.len() {
            allowed.cores.as_slice().into()
        } else {
            big.into()
        };
        let hold = if pin && !chosen.is_empty() {
            Hold::Each
        } else if chosen.len() < allowed.cores.len() {
            Hold::Together
        } else {
            Hold::Free
        };
        let parallelism = match chosen.len() {
            0 => allowed.parallelism,
            cores => cores.min(allowed.parallelism),
        };
        let threads = if threads == 0 { parallelism } else { threads };
        Self {
            chosen,
            threads,
            enough: threads <= parallelism,
            hold,
        }
    }

    /// Starts the threads; the one that will run the model is not among them, see [`CallerSeat`].
    pub(super) fn start_threads(&self) -> Threads {
        let mut options = ThreadOptions::new(self.threads);
        options.spin = if self.enough { SPIN } else { Duration::ZERO };
        options.core = Some(Box::new(|| sched_getcpu().ok()));
        if self.hold != Hold::Free {
            let cores = self.clone();
            options.on_start = Some(Box::new(move |slot| cores.hold_this_thread(slot)));
        }
        Threads::with_options(options)
    }

    /// Holds the calling thread to the cores that belong to `slot`.
    ///
    /// Where the system refuses, the thread runs wherever it ran: slower at worst.
    fn hold_this_thread(&self, slot: usize) {
        let mut set = CpuSet::new();
        let wanted = self.of_slot(slot);
        let fits = wanted.iter().all(|&core| set.set(core).is_ok());
        if fits && !wanted.is_empty() {
            let outcome = sched_setaffinity(Pid::from_raw(0), &set);
            if let Err(error) = outcome {
                tracing::warn!(slot, cores = ?wanted, %error, "Thread is not held to its cores.");
            }
        }
    }

    /// The cores a thread is held to; none where it is free.
    fn of_slot(&self, slot: usize) -> &[usize] {
        match self.hold {
            Hold::Free => &[],
            Hold::Together => &self.chosen,
            Hold::Each => {
                let i = slot % self.chosen.len();
                &self.chosen[i..=i]
            }
        }
    }
}

/// Holds whichever thread runs the model to the cores of slot 0; the thread that loads it need not be the one.
#[derive(Debug)]
pub(super) struct CallerSeat {
    cores: Cores,
    held: Option<ThreadId>,
}

impl CallerSeat {
    /// Holds no thread yet.
    pub(super) fn new(cores: Cores) -> Self {
        Self { cores, held: None }
    }

    /// To be called before the model runs: the first time on each thread it holds that thread to its cores.
    pub(super) fn take(&mut self) {
        let this = thread::current().id();
        if self.held != Some(this) {
            self.cores.hold_this_thread(0);
            self.held = Some(this);
        }
    }
}

/// Those of the `allowed` cores that are big, by what the folder `system` says; all where it says nothing.
fn big_cores(system: &Path, allowed: &[usize]) -> Vec<usize> {
    let capacities = |file| {
        let path = |core: &usize| system.join(format!("cpu{core}")).join(file);
        let capacities = allowed.iter().map(|core| number(&path(core)));
        capacities.collect::<Option<Vec<u64>>>()
    };
    // The frequency is the next best: it does not tell an old design from a new one.
    let capacities = capacities("cpu_capacity").or_else(|| capacities("cpufreq/cpuinfo_max_freq"));
    let Some(capacities) = capacities else {
        return allowed.to_vec();
    };
    let best = capacities.iter().copied().max().map_or(0, u128::from);
    let is_big = |capacity| u128::from(capacity) * 100 >= best * BIG_PERCENT;
    let cores = allowed.iter().zip(capacities);
    cores
        .filter_map(|(&core, capacity)| is_big(capacity).then_some(core))
        .collect()
}

/// The cores this thread may use, ascending; none where the system does not say.
fn cores_of_this_thread() -> Vec<usize> {
    sched_getaffinity(Pid::from_raw(0)).map_or_else(
        |_| Vec::new(),
        |set| {
            (0..CpuSet::count())
                .filter(|&core| set.is_set(core) == Ok(true))
                .collect()
        },
    )
}

fn number(path: &Path) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A made-up folder of cores, one for each value, in `file` of each.
    fn system(file: &str, values: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (core, value) in values.iter().enumerate() {
            let path = root.path().join(format!("cpu{core}")).join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, format!("{value}\n")).unwrap();
        }
        root
    }

    fn allowed(cores: &[usize]) -> Allowed {
        Allowed {
            cores: cores.to_vec(),
            parallelism: cores.len().max(1),
        }
    }

    #[test]
    fn only_the_big_cores_of_a_mixed_board_are_chosen() {
        let all = allowed(&[0, 1, 2, 3, 4, 5]);
        // Two kinds; three kinds, of which the middle one is big enough; frequencies where there is no capacity.
        for (file, values, expected) in [
            (
                "cpu_capacity",
                ["485", "485", "485", "485", "1024", "1024"],
                &[4, 5][..],
            ),
            (
                "cpu_capacity",
                ["1024", "820", "819", "250", "250", "250"],
                &[0, 1],
            ),
            (
                "cpufreq/cpuinfo_max_freq",
                [
                    "1416000", "1416000", "1416000", "1416000", "1800000", "1800000",
                ],
                &[4, 5],
            ),
        ] {
            let root = system(file, &values);
            let cores = Cores::choose(root.path(), &all, 0, false);
            assert_eq!(&*cores.chosen, expected, "{values:?}");
            assert_eq!(cores.of_slot(1), expected, "{values:?}");
        }
    }

    #[test]
    fn what_the_process_may_not_use_does_not_count() {
        let root = system("cpu_capacity", &["485", "485", "1024", "1024"]);
        let cores = Cores::choose(root.path(), &allowed(&[0, 1]), 0, false);
        assert_eq!((&*cores.chosen, cores.hold), (&[0, 1][..], Hold::Free));
        let cores = Cores::choose(root.path(), &allowed(&[1, 3]), 0, false);
        assert_eq!((&*cores.chosen, cores.hold), (&[3][..], Hold::Together));
    }

    #[test]
    fn cores_that_are_alike_or_not_described_are_left_to_the_scheduler() {
        let alike = system("cpu_capacity", &["1024", "1024"]);
        let half_described = system("cpu_capacity", &["1024"]);
        let nonsense = system("cpu_capacity", &["big", "1024"]);
        let silent = tempfile::tempdir().unwrap();
        for root in [&alike, &half_described, &nonsense, &silent] {
            let cores = Cores::choose(root.path(), &allowed(&[0, 1]), 0, false);
            assert_eq!((&*cores.chosen, cores.hold), (&[0, 1][..], Hold::Free));
            assert!(cores.of_slot(0).is_empty());
        }
    }

    #[test]
    fn pinned_threads_get_a_core_each_in_turn() {
        let root = system("cpu_capacity", &["485", "1024", "1024", "1024"]);
        let cores = Cores::choose(root.path(), &allowed(&[0, 1, 2, 3]), 0, true);
        let held: Vec<_> = (0..4).map(|slot| cores.of_slot(slot)[0]).collect();
        assert_eq!(held, [1, 2, 3, 1]);
        assert!(
            Cores::choose(root.path(), &allowed(&[]), 0, true)
                .of_slot(3)
                .is_empty()
        );
    }

    #[test]
    fn threads_are_as_many_as_asked_else_one_a_chosen_core() {
        let root = system("cpu_capacity", &["485", "1024", "1024", "1024"]);
        for (asked, threads, chosen, hold) in [
            (0, 3, &[1, 2, 3][..], Hold::Together),
            (2, 2, &[1, 2, 3], Hold::Together),
            (4, 4, &[0, 1, 2, 3], Hold::Free),
            (9, 9, &[0, 1, 2, 3], Hold::Free),
        ] {
            let cores = Cores::choose(root.path(), &allowed(&[0, 1, 2, 3]), asked, false);
            assert_eq!((&*cores.chosen, cores.hold), (chosen, hold), "{asked}");
            // Holding fails where the test's machine has no such core, and is no error.
            assert_eq!(cores.start_threads().count(), threads, "{asked}");
        }
        let here = Cores::of_this_process(0, false);
        assert!(here.enough && here.threads >= 1, "{here:?}");
    }

    #[test]
    fn a_quota_limits_the_threads_and_more_than_it_allows_do_not_spin() {
        let root = tempfile::tempdir().unwrap();
        let quota = Allowed {
            cores: vec![0, 1, 2, 3],
            parallelism: 2,
        };
        for (asked, threads, enough) in [(0, 2, true), (2, 2, true), (3, 3, false)] {
            let cores = Cores::choose(root.path(), &quota, asked, false);
            assert_eq!((cores.threads, cores.enough), (threads, enough), "{asked}");
        }
    }

    #[test]
    fn a_thread_that_takes_the_seat_is_held_to_its_core() {
        let cores = Cores::of_this_process(0, true);
        let Some(&first) = cores.chosen.first() else {
            return; // The system does not say which cores may be used.
        };
        let mut seat = CallerSeat::new(cores);
        for _ in 0..2 {
            // A thread of its own: what it is held to ends with it.
            thread::scope(|scope| {
                scope.spawn(|| {
                    seat.take();
                    assert_eq!(cores_of_this_thread(), [first]);
                });
            });
        }
    }
}
