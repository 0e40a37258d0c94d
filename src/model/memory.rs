//! Memory a model needs, reckoned before its weights are read.

use crate::kernels::row_len;
use crate::model::directory::ModelDirectory;
use crate::model::{LANES_AUTO_MAX, Lanes, ModelError};
use crate::ops::KvPrecision;

/// Memory of this machine, from `/proc/meminfo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MachineMemory {
    /// All of it, in bytes.
    pub total_bytes: usize,
    /// What can be had without pushing others out, in bytes.
    pub available_bytes: usize,
}

impl MachineMemory {
    /// Reads it; nothing where there is no `/proc/meminfo`.
    #[must_use]
    pub fn read() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/meminfo").ok()?)
    }

    fn parse(meminfo: &str) -> Option<Self> {
        let bytes = |key: &str| {
            let line = meminfo.lines().find_map(|line| line.strip_prefix(key))?;
            let kib: usize = line
                .trim_start_matches(':')
                .trim()
                .strip_suffix("kB")?
                .trim()
                .parse()
                .ok()?;
            kib.checked_mul(1024)
        };
        Some(Self {
            total_bytes: bytes("MemTotal")?,
            available_bytes: bytes("MemAvailable")?,
        })
    }
}

/// Memory a model takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryNeed {
    /// Matrices, in the form in which every token reads them: packed, those that can be. Embeddings, of which a
    /// token reads one row, do not count.
    pub weight_bytes: usize,
    /// The key-value caches of all lanes.
    pub kv_cache_bytes: usize,
}

impl MemoryNeed {
    /// What a token takes in a key-value cache of `directory`'s model, in bytes.
    pub(crate) fn kv_cache_bytes_per_token(
        directory: &ModelDirectory,
        precision: KvPrecision,
    ) -> usize {
        let dim = directory.head_dim;
        let (keys, values) = (dim, row_len(dim));
        let bytes = match precision {
            KvPrecision::F32 => (keys + values) * size_of::<f32>(),
            KvPrecision::F16 => (keys + values) * 2,
            KvPrecision::Int8 => keys + values + 2 * size_of::<f32>(),
        };
        directory.layers * directory.kv_heads * bytes
    }

    /// Both together.
    #[must_use]
    pub fn total_bytes(&self) -> usize {
        self.weight_bytes.saturating_add(self.kv_cache_bytes)
    }

    /// Refuses a model that this machine can never hold; one that only does not fit right now may still run,
    /// because mapped weights can be dropped and read again.
    pub(crate) fn check(
        &self,
        directory: &ModelDirectory,
        machine: Option<MachineMemory>,
    ) -> Result<(), ModelError> {
        let Some(machine) = machine else {
            return Ok(());
        };
        if self.total_bytes() <= machine.total_bytes {
            return Ok(());
        }
        Err(ModelError::File {
            path: directory.graph_path.clone(),
            reason: format!(
                "needs {} MiB ({} weights, {} key-value cache), this machine has {}; a smaller \
                 model.context_tokens or fewer engine.streams make the cache smaller",
                mib(self.total_bytes()),
                mib(self.weight_bytes),
                mib(self.kv_cache_bytes),
                mib(machine.total_bytes)
            ),
        })
    }
}

impl Lanes {
    /// How many there are, of `lane_bytes` each, beside weights of `weight_bytes`; one where the memory is not known.
    pub(crate) fn beside(
        self,
        weight_bytes: usize,
        lane_bytes: usize,
        machine: Option<MachineMemory>,
    ) -> usize {
        match self {
            Self::Exactly(lanes) => lanes.max(1),
            Self::Auto => {
                let total = machine.map_or(0, |machine| machine.total_bytes);
                let share = total.saturating_sub(weight_bytes) / LANES_SHARE;
                (share / lane_bytes.max(1)).clamp(1, LANES_AUTO_MAX)
            }
        }
    }
}

/// One part in so many of the memory that the weights leave is for the caches.
const LANES_SHARE: usize = 8;

fn mib(bytes: usize) -> usize {
    bytes.div_ceil(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_meminfo() {
        let text = "MemTotal:        1024 kB\nMemFree: 3 kB\nMemAvailable:     512 kB\n";
        let memory = MachineMemory::parse(text).unwrap();
        assert_eq!(
            memory,
            MachineMemory {
                total_bytes: 1 << 20,
                available_bytes: 1 << 19
            }
        );
        assert_eq!(MachineMemory::parse("MemTotal: x kB"), None);
    }

    #[test]
    fn boards_get_as_many_lanes_as_an_eighth_of_what_the_weights_leave_holds() {
        let (weights, lane) = (868 << 20, 112 << 20);
        for (total_mib, lanes) in [
            (512, 1),
            (950, 1),
            (1900, 1),
            (3900, 3),
            (7900, 4),
            (64_000, 4),
        ] {
            let machine = MachineMemory {
                total_bytes: total_mib << 20,
                available_bytes: 0,
            };
            let found = Lanes::Auto.beside(weights, lane, Some(machine));
            assert_eq!(found, lanes, "{total_mib} MiB");
        }
        assert_eq!(Lanes::Auto.beside(weights, lane, None), 1);
        assert_eq!(Lanes::Exactly(0).beside(weights, lane, None), 1);
        assert_eq!(Lanes::Exactly(9).beside(weights, lane, None), 9);
    }
}
