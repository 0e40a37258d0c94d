//! Whether this machine has large pages for what is read over and over.
//!
//! A token reads every weight once. In pages of 4 KiB that is an address look-up for every 64 cache lines, and the
//! processor's prefetching stops at each page's end; in pages of 2 MiB there is next to none of that. See
//! `docs/decisions.md` for what it gains.

use std::fs;

use super::memory::MachineMemory;

/// What the kernel says about transparent huge pages.
const ENABLED: &str = "/sys/kernel/mm/transparent_hugepage/enabled";
const PAGE_BYTES: &str = "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size";

/// Where weights that have a file are kept while the model runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Residence {
    /// In memory of their own where the machine has large pages and room, else in the file.
    #[default]
    Auto,
    /// In memory of their own, in large pages where the machine has them.
    Memory,
    /// In the map of the file: shared by processes, and dropped and read again when memory is short.
    Mapped,
}

/// Bytes of a large page; nothing where the kernel gives none to those who ask.
pub(crate) fn page_bytes() -> Option<usize> {
    let enabled = fs::read_to_string(ENABLED).ok()?;
    let bytes = fs::read_to_string(PAGE_BYTES).ok()?;
    parse(&enabled, &bytes)
}

fn parse(enabled: &str, bytes: &str) -> Option<usize> {
    let given = ["[always]", "[madvise]"];
    let given = given.iter().any(|word| enabled.contains(word));
    let bytes = bytes.trim().parse().ok()?;
    (given && usize::is_power_of_two(bytes)).then_some(bytes)
}

impl Residence {
    /// Whether `bytes` of weights shall have memory of their own, where `others` bytes are needed beside them.
    pub(crate) fn takes_memory(self, bytes: usize, others: usize) -> bool {
        match self {
            Self::Memory => true,
            Self::Mapped => false,
            Self::Auto => {
                page_bytes().is_some()
                    && MachineMemory::read().is_some_and(|m| has_room(m, bytes, others))
            }
        }
    }
}

/// Whether memory is left for everyone else after that.
fn has_room(machine: MachineMemory, bytes: usize, others: usize) -> bool {
    let spared = machine.total_bytes / SPARED_SHARE;
    let wanted = bytes.saturating_add(others).saturating_add(spared);
    wanted <= machine.available_bytes
}

/// One part in so many of all memory is left to other programs.
const SPARED_SHARE: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_says() {
        assert_eq!(
            parse("always [madvise] never\n", "2097152\n"),
            Some(2 << 20)
        );
        assert_eq!(parse("[always] madvise never", "33554432"), Some(32 << 20));
        assert_eq!(parse("always madvise [never]", "2097152"), None);
        assert_eq!(parse("[always] madvise never", "no number"), None);
        assert_eq!(parse("[always] madvise never", "0"), None);
    }

    #[test]
    fn leaves_an_eighth_of_the_memory_to_others() {
        let machine = |available_bytes| MachineMemory {
            total_bytes: 800,
            available_bytes,
        };
        assert!(has_room(machine(600), 300, 200));
        assert!(!has_room(machine(599), 300, 200));
        assert!(!has_room(machine(600), usize::MAX, 200));
    }

    #[test]
    fn what_was_asked_for_holds() {
        assert!(Residence::Memory.takes_memory(usize::MAX, 0));
        assert!(!Residence::Mapped.takes_memory(0, 0));
        assert!(!Residence::Auto.takes_memory(usize::MAX, 0));
    }
}
