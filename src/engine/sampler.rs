//! Chooses the next token from the logits, among those that are allowed.

use super::candidates::{self, Candidate};
use super::penalty::Penalty;
use super::random::Random;
use super::{EngineError, SamplingOptions};

/// Says of a token whether it may be chosen.
pub(super) type IsAllowed<'a> = dyn FnMut(u32) -> Result<bool, EngineError> + 'a;

/// The choices of one answer.
#[derive(Debug)]
pub(super) struct Sampler {
    options: SamplingOptions,
    penalty: Penalty,
    random: Random,
    /// Room for a copy of the logits, kept from token to token.
    logits: Vec<f32>,
    candidates: Vec<Candidate>,
}

impl Sampler {
    pub(super) fn new(options: &SamplingOptions, prompt: &[u32]) -> Self {
        Self {
            options: options.clone(),
            penalty: Penalty::new(options.repetition_penalty, prompt),
            random: Random::new(options.seed),
            logits: Vec::new(),
            candidates: Vec::new(),
        }
    }

    /// Tells of tokens that are in the context without having been chosen here.
    pub(super) fn saw(&mut self, tokens: &[u32]) {
        self.penalty.saw(tokens);
    }

    /// Chooses a token that is allowed; nothing where there is none. What would be chosen were all allowed is asked
    /// for first, and only where that is refused others are. Minus infinity means never; at least one logit must be
    /// a number.
    pub(super) fn next(
        &mut self,
        logits: &[f32],
        is_allowed: &mut IsAllowed<'_>,
    ) -> Result<Option<u32>, EngineError> {
        let best = likeliest(logits)?;
        let mut penalised = std::mem::take(&mut self.logits);
        let logits = if self.penalty.is_off() {
            logits
        } else {
            penalised.clear();
            penalised.extend_from_slice(logits);
            self.penalty.apply(&mut penalised);
            &penalised
        };
        let first = match self.options.temperature {
            0.0 if self.penalty.is_off() => best,
            0.0 => likeliest(logits)?,
            _ => self.draw(logits),
        };
        let token = if is_allowed(first)? {
            Some(first)
        } else {
            self.next_after(first, logits, is_allowed)?
        };
        self.logits = penalised;
        self.penalty.saw(token.as_slice());
        Ok(token)
    }

    /// Chooses where `first` was refused: draws on among what the filters have kept, then takes the likeliest of all.
    fn next_after(
        &mut self,
        first: u32,
        logits: &[f32],
        is_allowed: &mut IsAllowed<'_>,
    ) -> Result<Option<u32>, EngineError> {
        let candidates = &mut self.candidates;
        if self.options.temperature > 0.0 {
            candidates.retain(|c| c.token != first);
            // The order of draws without putting back is that of the weights' logarithms with Gumbel noise: one
            // random number each, instead of a pass over all of them for each draw.
            for candidate in &mut *candidates {
                let noisy = f64::from(candidate.weight).ln() + self.random.gumbel();
                candidate.logit = noisy as f32;
            }
            let drawn = candidates::find_likeliest(candidates, &mut *is_allowed)?;
            if drawn.is_some() {
                return Ok(drawn);
            }
        }
        candidates::fill(candidates, logits);
        candidates.retain(|c| c.token != first);
        candidates::find_likeliest(candidates, is_allowed)
    }

    fn draw(&mut self, logits: &[f32]) -> u32 {
        let SamplingOptions {
            temperature,
            top_k,
            top_p,
            min_p,
            ..
        } = self.options;
        let candidates = &mut self.candidates;
        candidates::fill(candidates, logits);
        if top_k > 0 {
            candidates::keep_likeliest(candidates, top_k);
        }
        candidates::weigh(candidates, temperature);
        if top_p < 1.0 {
            candidates::keep_nucleus(candidates, top_p);
        }
        if min_p > 0.0 {
            candidates.retain(|c| c.weight >= min_p);
        }
        let mut left = self.random.unit() * candidates::total_weight(&*candidates);
        let drawn = candidates.iter().find(|c| {
            left -= f64::from(c.weight);
            left < 0.0
        });
        // Rounding may leave a rest; then the last that can be drawn is it.
        let drawn = drawn.or_else(|| candidates.iter().rfind(|c| c.weight > 0.0));
        drawn
            .expect("the likeliest weighs 1 and is never dropped")
            .token
    }
}

/// Logits compared side by side.
const LANES: usize = 16;

/// The token of the highest logit, the lowest token where several are.
fn likeliest(logits: &[f32]) -> Result<u32, EngineError> {
    // In lanes, so that the compiler can take many logits at once: a vocabulary is long.
    let mut highest = [f32::NEG_INFINITY; LANES];
    let mut sound = true;
    for row in logits.chunks(LANES) {
        for (highest, &logit) in highest.iter_mut().zip(row) {
            *highest = if logit > *highest { logit } else { *highest };
            sound &= logit < f32::INFINITY;
        }
    }
    let highest = highest.into_iter().fold(f32::NEG_INFINITY, f32::max);
    // The first logit that is not sound, as NaN compares to nothing, or the first that is the highest.
    let wanted = |logit: &f32| {
        if sound {
            *logit == highest
        } else {
            !logit.lt(&f32::INFINITY)
        }
    };
    let found = (0..).zip(logits).find(|(_, logit)| wanted(logit));
    match found {
        Some((token, _)) if sound && highest > f32::NEG_INFINITY => Ok(token),
        Some((token, &value)) => Err(EngineError::Logits { token, value }),
        None => Err(EngineError::Logits {
            token: 0,
            value: highest,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: f32 = f32::NEG_INFINITY;

    fn sampler(options: SamplingOptions) -> Sampler {
        Sampler::new(&options, &[])
    }

    /// The next token where all are allowed.
    fn next(sampler: &mut Sampler, logits: &[f32]) -> Result<u32, EngineError> {
        let token = sampler.next(logits, &mut |_| Ok(true))?;
        Ok(token.expect("all are allowed"))
    }

    fn base() -> SamplingOptions {
        SamplingOptions {
            temperature: 1.0,
            ..SamplingOptions::default()
        }
    }

    /// How often each token is drawn in a thousand times.
    fn histogram(options: SamplingOptions, logits: &[f32]) -> Vec<usize> {
        let mut sampler = sampler(options);
        let mut counts = vec![0; logits.len()];
        for _ in 0..1000 {
            counts[next(&mut sampler, logits).unwrap() as usize] += 1;
        }
        counts
    }

    #[test]
    fn greedy_takes_the_highest_and_the_lowest_token_of_equals() {
        let mut greedy = sampler(SamplingOptions::default());
        assert_eq!(next(&mut greedy, &[0.0, 2.0, -1.0, 2.0]).unwrap(), 1);
        assert_eq!(next(&mut greedy, &[NEVER, -5.0]).unwrap(), 1);
    }

    #[test]
    fn refuses_logits_that_are_no_numbers() {
        for bad in [
            vec![0.0, f32::NAN],
            vec![f32::INFINITY],
            vec![NEVER, NEVER],
            vec![],
        ] {
            for options in [SamplingOptions::default(), base()] {
                let error = next(&mut sampler(options), &bad).unwrap_err();
                assert!(matches!(error, EngineError::Logits { .. }), "{bad:?}");
            }
        }
    }

    #[test]
    fn draws_as_often_as_the_probabilities_say() {
        let logits = [0.6_f32.ln(), 0.3_f32.ln(), 0.1_f32.ln(), NEVER];
        let counts = histogram(base(), &logits);
        assert!(
            (550..650).contains(&counts[0]) && (250..350).contains(&counts[1]),
            "{counts:?}"
        );
        assert_eq!(counts[3], 0);
        // Half the temperature squares the odds: 36 to 9 to 1.
        let counts = histogram(
            SamplingOptions {
                temperature: 0.5,
                ..base()
            },
            &logits,
        );
        assert!((740..830).contains(&counts[0]), "{counts:?}");
    }

    #[test]
    fn each_filter_keeps_what_it_says() {
        let logits = [0.1_f32.ln(), 0.4_f32.ln(), 0.3_f32.ln(), 0.2_f32.ln()];
        for (options, kept) in [
            (SamplingOptions { top_k: 1, ..base() }, vec![1]),
            (SamplingOptions { top_k: 3, ..base() }, vec![1, 2, 3]),
            (
                SamplingOptions {
                    top_p: 0.05,
                    ..base()
                },
                vec![1],
            ),
            (
                SamplingOptions {
                    top_p: 0.69,
                    ..base()
                },
                vec![1, 2],
            ),
            (
                SamplingOptions {
                    top_p: 0.75,
                    ..base()
                },
                vec![1, 2, 3],
            ),
            (
                SamplingOptions {
                    min_p: 0.6,
                    ..base()
                },
                vec![1, 2],
            ),
            (
                SamplingOptions {
                    min_p: 1.0,
                    ..base()
                },
                vec![1],
            ),
            // Of the two that top-k keeps the first is 4/7, which is enough.
            (
                SamplingOptions {
                    top_k: 2,
                    top_p: 0.55,
                    ..base()
                },
                vec![1],
            ),
            (base(), vec![0, 1, 2, 3]),
        ] {
            let counts = histogram(options.clone(), &logits);
            let drawn: Vec<usize> = (0..4).filter(|token| counts[*token] > 0).collect();
            assert_eq!(drawn, kept, "{options:?}");
        }
    }

    #[test]
    fn the_repetition_penalty_reaches_prompt_forced_and_drawn_tokens() {
        let options = SamplingOptions {
            repetition_penalty: 2.0,
            ..SamplingOptions::default()
        };
        let mut sampler = Sampler::new(&options, &[0]);
        let logits = [4.0, 3.0, 2.5, 2.2];
        assert_eq!(next(&mut sampler, &logits).unwrap(), 1);
        sampler.saw(&[2]);
        assert_eq!(next(&mut sampler, &logits).unwrap(), 3);
        assert_eq!(next(&mut sampler, &logits).unwrap(), 0);
    }

    /// How often each token is drawn in a thousand times where only `allowed` are.
    fn histogram_of(options: SamplingOptions, logits: &[f32], allowed: &[u32]) -> Vec<usize> {
        let mut sampler = sampler(options);
        let mut counts = vec![0; logits.len()];
        for _ in 0..1000 {
            let token = sampler.next(logits, &mut |token| Ok(allowed.contains(&token)));
            counts[token.unwrap().unwrap() as usize] += 1;
        }
        counts
    }

    #[test]
    fn what_is_not_allowed_is_drawn_again() {
        let logits = [0.6_f32.ln(), 0.3_f32.ln(), 0.1_f32.ln(), NEVER];
        let counts = histogram_of(base(), &logits, &[1, 2]);
        assert!((700..800).contains(&counts[1]), "{counts:?}");
        assert_eq!(counts[1] + counts[2], 1000);
    }

    #[test]
    fn the_likeliest_allowed_is_taken_where_the_filters_keep_none() {
        let logits = [3.0, 1.0, 2.0, -1.0];
        for options in [
            SamplingOptions::default(),
            SamplingOptions { top_k: 1, ..base() },
            SamplingOptions {
                top_p: 0.1,
                ..base()
            },
        ] {
            assert_eq!(histogram_of(options, &logits, &[1, 3])[1], 1000);
        }
    }

    #[test]
    fn only_what_it_takes_is_asked_for_and_never_the_impossible() {
        for (options, most) in [(SamplingOptions::default(), 3), (base(), 6)] {
            let mut asked = Vec::new();
            let mut sampler = sampler(options);
            let token = sampler.next(&[1.0, NEVER, 3.0, 2.0], &mut |token| {
                asked.push(token);
                Ok(false)
            });
            assert_eq!(token.unwrap(), None);
            assert!(!asked.contains(&1) && asked.len() <= most, "{asked:?}");
            assert_eq!(next(&mut sampler, &[1.0, NEVER, NEVER, NEVER]).unwrap(), 0);
        }
    }

    #[test]
    fn extreme_values_draw_the_likeliest() {
        let logits = [3.0e38, -3.0e38, 1.0];
        for options in [
            SamplingOptions {
                temperature: 1e-40,
                ..base()
            },
            SamplingOptions {
                top_p: 1e-9,
                ..base()
            },
            SamplingOptions {
                repetition_penalty: 1e-30,
                ..base()
            },
        ] {
            assert_eq!(next(&mut sampler(options), &logits).unwrap(), 0);
        }
    }
}
