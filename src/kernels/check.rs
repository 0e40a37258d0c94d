//! Every set this machine runs against `scalar`, and `scalar` against a plain evaluation in f64.
//!
//! Shapes are the hard ones by hand and random ones by proptest; outputs are filled with NaN before each call, so
//! that an element left out shows. `cross/test-as.sh` runs these under an emulator as each board's core.

mod attention;
mod cached;
mod data;
mod float_ops;
mod matmul;
mod packed;

use super::table::Kernels;
use super::{scalar, set};

/// Relative rounding error of one f32 operation.
const UNIT: f64 = f32::EPSILON as f64 / 2.0;

/// Every set but scalar, for comparing.
fn others() -> impl Iterator<Item = Kernels> {
    set::supported()
        .into_iter()
        .filter(|set| set.name() != scalar::KERNELS.name())
}

/// Bits of floats, which compare where NaN does not.
fn bits(floats: &[f32]) -> Vec<u32> {
    floats.iter().map(|x| x.to_bits()).collect()
}

/// Fails where an element is further off than the bound for it.
fn assert_within(found: &[f32], exact: &[f64], bounds: &[f64], case: &dyn std::fmt::Debug) {
    assert_eq!(
        (found.len(), exact.len()),
        (exact.len(), bounds.len()),
        "{case:?}"
    );
    for (i, found) in found.iter().enumerate() {
        let error = (f64::from(*found) - exact[i]).abs();
        // Written so that NaN fails.
        assert!(
            error <= bounds[i],
            "element {i} is {found}, expected {} within {:e}, off by {error:e}: {case:?}",
            exact[i],
            bounds[i]
        );
    }
}

#[test]
fn scalar_is_last_and_names_find_their_sets() {
    let sets = set::supported();
    assert_eq!(sets.last().map(Kernels::name), Some("scalar"));
    assert_eq!(Kernels::best().name(), sets[0].name());
    for set in &sets {
        assert_eq!(
            Kernels::by_name(set.name()).map(|set| set.name()),
            Some(set.name())
        );
    }
    assert!(Kernels::by_name("abacus").is_none());
}

#[test]
#[should_panic(expected = "off by")]
fn comparing_sees_a_difference() {
    assert_within(&[1.0, 2.1], &[1.0, 2.0], &[0.0, 0.09], &"a case");
}

#[test]
#[should_panic(expected = "element 1")]
fn comparing_sees_nan() {
    assert_within(&[1.0, f32::NAN], &[1.0, 2.0], &[1.0, 1.0], &"a case");
}
