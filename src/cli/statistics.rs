//! The few figures that reports are made of.

/// The middle one; of an even number, the mean of the two in the middle. 0 of none.
pub(super) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// `part` of `whole` in percent; 0 of nothing.
pub(super) fn percent(part: usize, whole: usize) -> f64 {
    // Multiplied first: a share that is a whole number of percent comes out as exactly that.
    100.0 * part as f64 / whole.max(1) as f64
}

/// Where a share lies with 95 % confidence if `right` of `total` were counted, in percent.
///
/// Source: Wilson's score interval, which holds for few and for extreme counts too.
pub(super) fn wilson(right: usize, total: usize) -> (f64, f64) {
    if total == 0 {
        return (0.0, 100.0);
    }
    let n = total as f64;
    let share = right as f64 / n;
    let spread = Z * Z / n;
    let centre = (share + spread / 2.0) / (1.0 + spread);
    let half = Z * (share * (1.0 - share) / n + spread / (4.0 * n)).sqrt() / (1.0 + spread);
    (
        100.0 * (centre - half).max(0.0),
        100.0 * (centre + half).min(1.0),
    )
}

/// Standard deviations within which 95 % of a normal distribution lie.
const Z: f64 = 1.96;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([].into_iter()), 0.0);
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5);
    }

    #[test]
    fn whole_percents_are_exact() {
        assert_eq!(percent(29, 100), 29.0);
        assert_eq!(percent(0, 0), 0.0);
        assert_eq!(percent(3, 3), 100.0);
    }

    #[test]
    fn the_interval_is_wilsons() {
        // As the recipe's own evaluation computes it, to a tenth of a percent.
        for (right, total, low, high) in [
            (0, 0, 0.0, 100.0),
            (0, 10, 0.0, 27.8),
            (10, 10, 72.2, 100.0),
            (5, 10, 23.7, 76.3),
            (9, 10, 59.6, 98.2),
            (950, 1000, 93.5, 96.2),
        ] {
            let (found_low, found_high) = wilson(right, total);
            assert!(
                (found_low - low).abs() < 0.06 && (found_high - high).abs() < 0.06,
                "{right} of {total}: {found_low} to {found_high}"
            );
        }
    }
}
