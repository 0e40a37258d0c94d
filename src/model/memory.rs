//! Memory a model needs, reckoned before it is loaded.

use crate::model::ModelError;
use crate::model::directory::ModelDirectory;

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
    /// The data file, mapped; pages come as they are used.
    pub weight_bytes: usize,
    /// The key-value cache.
    pub kv_cache_bytes: usize,
}

impl MemoryNeed {
    /// What `directory` needs for a context of that many tokens.
    #[must_use]
    pub fn of(directory: &ModelDirectory, context_tokens: usize) -> Self {
        let size = |path: &std::path::Path| {
            std::fs::metadata(path).map_or(0, |m| usize::try_from(m.len()).unwrap_or(usize::MAX))
        };
        let mut data = directory.graph_path.clone().into_os_string();
        data.push(".data");
        Self {
            weight_bytes: size(&directory.graph_path).saturating_add(size(data.as_ref())),
            kv_cache_bytes: directory.kv_cache_bytes(context_tokens),
        }
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
                 model.context_tokens makes the cache smaller",
                mib(self.total_bytes()),
                mib(self.weight_bytes),
                mib(self.kv_cache_bytes),
                mib(machine.total_bytes)
            ),
        })
    }
}

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
}
