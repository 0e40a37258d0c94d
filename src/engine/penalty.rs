//! Makes tokens that were already there less likely.

use std::collections::HashSet;

/// The repetition penalty over prompt and answer, each token once, however often it was there.
#[derive(Debug)]
pub(super) struct Penalty {
    factor: f32,
    seen: HashSet<u32>,
}

impl Penalty {
    pub(super) fn new(factor: f32, prompt: &[u32]) -> Self {
        let mut penalty = Self {
            factor,
            seen: HashSet::new(),
        };
        penalty.saw(prompt);
        penalty
    }

    pub(super) fn is_off(&self) -> bool {
        self.factor == 1.0
    }

    pub(super) fn saw(&mut self, tokens: &[u32]) {
        if !self.is_off() {
            self.seen.extend(tokens);
        }
    }

    /// Divides positive and multiplies negative logits of the tokens seen; a finite logit stays finite, and
    /// minus infinity, which means never, stays that.
    pub(super) fn apply(&self, logits: &mut [f32]) {
        for token in &self.seen {
            if let Some(logit) = logits.get_mut(*token as usize)
                && logit.is_finite()
            {
                let penalised = if *logit < 0.0 {
                    *logit * self.factor
                } else {
                    *logit / self.factor
                };
                *logit = penalised.clamp(f32::MIN, f32::MAX);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lowers_each_seen_logit_once_whatever_its_sign() {
        let mut penalty = Penalty::new(2.0, &[0, 1, 1, 99]);
        penalty.saw(&[3]);
        let mut logits = [4.0, -4.0, 4.0, 0.0];
        penalty.apply(&mut logits);
        assert_eq!(logits, [2.0, -8.0, 4.0, 0.0]);
    }

    #[test]
    fn stays_finite() {
        let mut logits = [f32::MAX, f32::MIN];
        Penalty::new(0.5, &[0]).apply(&mut logits);
        Penalty::new(10.0, &[1]).apply(&mut logits);
        assert_eq!(logits, [f32::MAX, f32::MIN]);
    }

    #[test]
    fn never_stays_never() {
        let mut logits = [f32::NEG_INFINITY];
        Penalty::new(0.5, &[0]).apply(&mut logits);
        assert_eq!(logits, [f32::NEG_INFINITY]);
    }
}
