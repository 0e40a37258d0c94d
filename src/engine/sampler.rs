//! Chooses the next token from the logits.

use super::candidates::{self, Candidate};
use super::penalty::Penalty;
use super::random::Random;
use super::{EngineError, SamplingOptions};

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

    /// Chooses a token. Minus infinity means never; at least one logit must be a number.
    pub(super) fn next(&mut self, logits: &[f32]) -> Result<u32, EngineError> {
        let best = likeliest(logits)?;
        let token = if self.penalty.is_off() {
            if self.options.temperature == 0.0 {
                best
            } else {
                self.draw(logits)
            }
        } else {
            let mut penalised = std::mem::take(&mut self.logits);
            penalised.clear();
            penalised.extend_from_slice(logits);
            self.penalty.apply(&mut penalised);
            let token = match self.options.temperature {
                0.0 => likeliest(&penalised)?,
                _ => self.draw(&penalised),
            };
            self.logits = penalised;
            token
        };
        self.penalty.saw(&[token]);
        Ok(token)
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
            counts[sampler.next(logits).unwrap() as usize] += 1;
        }
        counts
    }

    #[test]
    fn greedy_takes_the_highest_and_the_lowest_token_of_equals() {
        let mut greedy = sampler(SamplingOptions::default());
        assert_eq!(greedy.next(&[0.0, 2.0, -1.0, 2.0]).unwrap(), 1);
        assert_eq!(greedy.next(&[NEVER, -5.0]).unwrap(), 1);
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
                let error = sampler(options).next(&bad).unwrap_err();
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
        assert_eq!(sampler.next(&logits).unwrap(), 1);
        sampler.saw(&[2]);
        assert_eq!(sampler.next(&logits).unwrap(), 3);
        assert_eq!(sampler.next(&logits).unwrap(), 0);
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
            assert_eq!(sampler(options).next(&logits).unwrap(), 0);
        }
    }
}
