//! The tokens that may be next, and the likeliest of them without sorting them all.

use std::cmp::Ordering;

/// A token that may be next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    pub(super) token: u32,
    pub(super) logit: f32,
    /// Probability relative to the likeliest candidate's: 1 at most.
    pub(super) weight: f32,
}

/// Candidates that are sorted at first; eight times as many when those are not enough.
const SORTED_AT_FIRST: usize = 64;

/// Weights from which on candidates are looked at for the nucleus; the next lower where those do not make it up.
const NUCLEUS_FLOORS: [f32; 3] = [1e-2, 1e-5, 0.0];

/// All tokens, none weighed yet.
pub(super) fn fill(candidates: &mut Vec<Candidate>, logits: &[f32]) {
    candidates.clear();
    candidates.extend((0..).zip(logits).map(|(token, &logit)| Candidate {
        token,
        logit,
        weight: 0.0,
    }));
}

/// Keeps the `count` likeliest, sorted; all as they are where there are no more.
pub(super) fn keep_likeliest(candidates: &mut Vec<Candidate>, count: usize) {
    if count < candidates.len() {
        candidates.select_nth_unstable_by(count, likelier_first);
        candidates.truncate(count);
        candidates.sort_unstable_by(likelier_first);
    }
}

/// The likeliest candidate that `is_wanted`; nothing where it is none of those with a logit above minus infinity. Sorts
/// no more of them than it takes.
pub(super) fn find_likeliest<E>(
    candidates: &mut [Candidate],
    mut is_wanted: impl FnMut(u32) -> Result<bool, E>,
) -> Result<Option<u32>, E> {
    let (mut rest, mut count) = (candidates, SORTED_AT_FIRST);
    while !rest.is_empty() {
        count = count.min(rest.len());
        if count < rest.len() {
            rest.select_nth_unstable_by(count, likelier_first);
        }
        let (likeliest, others) = rest.split_at_mut(count);
        likeliest.sort_unstable_by(likelier_first);
        for candidate in &*likeliest {
            if candidate.logit == f32::NEG_INFINITY {
                return Ok(None);
            }
            if is_wanted(candidate.token)? {
                return Ok(Some(candidate.token));
            }
        }
        (rest, count) = (others, 8 * count);
    }
    Ok(None)
}

/// Weighs the candidates at a temperature.
pub(super) fn weigh(candidates: &mut [Candidate], temperature: f32) {
    let highest = candidates
        .iter()
        .map(|c| c.logit)
        .fold(f32::NEG_INFINITY, f32::max);
    for candidate in candidates {
        candidate.weight = ((candidate.logit - highest) / temperature).exp();
    }
}

/// What the candidates weigh together.
pub(super) fn total_weight<'c>(candidates: impl IntoIterator<Item = &'c Candidate>) -> f64 {
    candidates.into_iter().map(|c| f64::from(c.weight)).sum()
}

/// Keeps the fewest of the likeliest candidates that together weigh `top_p` of all, sorted.
pub(super) fn keep_nucleus(candidates: &mut Vec<Candidate>, top_p: f32) {
    let wanted = f64::from(top_p) * total_weight(&*candidates);
    let suffices =
        |floor: &f32| total_weight(candidates.iter().filter(|c| c.weight >= *floor)) >= wanted;
    let floor = NUCLEUS_FLOORS.into_iter().find(suffices).unwrap_or(0.0);
    candidates.retain(|c| c.weight >= floor);
    candidates.sort_unstable_by(likelier_first);
    let mut sum = 0.0;
    let last = candidates.iter().position(|c| {
        sum += f64::from(c.weight);
        sum >= wanted
    });
    // Rounding may leave the sum short of all that is wanted: then it is all.
    candidates.truncate(last.map_or(candidates.len(), |last| last + 1));
}

fn likelier_first(a: &Candidate, b: &Candidate) -> Ordering {
    b.logit.total_cmp(&a.logit).then(a.token.cmp(&b.token))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_likeliest_that_is_wanted_is_found_in_the_order_of_a_full_sort(
            logits in prop::collection::vec((-90_i32..90).prop_map(|logit| logit as f32), 1..900),
            wanted in prop::collection::hash_set(0_u32..900, 0..4),
        ) {
            let mut candidates = Vec::new();
            fill(&mut candidates, &logits);
            let mut sorted = candidates.clone();
            sorted.sort_by(likelier_first);
            let expected = sorted.iter().position(|c| wanted.contains(&c.token));
            let mut asked = Vec::new();
            let found = find_likeliest(&mut candidates, |token| {
                asked.push(token);
                Ok::<_, ()>(wanted.contains(&token))
            });
            prop_assert_eq!(found.unwrap(), expected.map(|at| sorted[at].token));
            sorted.truncate(expected.map_or(sorted.len(), |at| at + 1));
            prop_assert_eq!(asked, sorted.iter().map(|c| c.token).collect::<Vec<_>>());
        }

        #[test]
        fn the_nucleus_is_that_of_a_full_sort(
            logits in prop::collection::vec(-20.0_f32..8.0, 1..1500),
            top_p in 0.01_f32..1.0,
        ) {
            let mut candidates = Vec::new();
            fill(&mut candidates, &logits);
            weigh(&mut candidates, 1.0);
            let mut sorted = candidates.clone();
            sorted.sort_by(likelier_first);
            let wanted = f64::from(top_p) * total_weight(&sorted);
            keep_nucleus(&mut candidates, top_p);
            sorted.truncate(candidates.len());
            prop_assert_eq!(&candidates, &sorted);
            prop_assert!(total_weight(&candidates) >= wanted * (1.0 - 1e-9));
            sorted.pop();
            prop_assert!(total_weight(&sorted) < wanted * (1.0 + 1e-9));
        }

        #[test]
        fn the_likeliest_are_those_of_a_full_sort(
            logits in prop::collection::vec((-8_i32..8).prop_map(|logit| logit as f32), 1..300),
            count in 1_usize..310,
        ) {
            let mut candidates = Vec::new();
            fill(&mut candidates, &logits);
            let mut sorted = candidates.clone();
            keep_likeliest(&mut candidates, count);
            if count < sorted.len() {
                sorted.sort_by(likelier_first);
                sorted.truncate(count);
            }
            prop_assert_eq!(candidates, sorted);
        }
    }
}
