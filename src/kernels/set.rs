//! Which kernel sets this CPU can run.
//!
//! Order: best first, `scalar` last. Features are asked of the CPU at run time, never taken from the build.

use super::{Kernels, scalar};

/// The sets this CPU can run, best first; the last is always `scalar`.
#[must_use]
pub fn supported() -> Vec<Kernels> {
    #[allow(
        unused_mut,
        reason = "only the architectures with sets of their own add to it"
    )]
    let mut sets = Vec::new();
    #[cfg(target_arch = "aarch64")]
    sets.extend(super::aarch64::supported());
    #[cfg(target_arch = "x86_64")]
    sets.extend(super::x86_64::supported());
    sets.push(scalar::KERNELS);
    sets
}
