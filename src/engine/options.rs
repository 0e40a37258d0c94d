//! How the next token is chosen, how many tokens may be spent, and the conventions of a model.

use super::{EngineError, OptionError};

/// How the next token is chosen. Order: repetition penalty, temperature, top-k, top-p, min-p, draw.
#[derive(Debug, Clone, PartialEq)]
pub struct SamplingOptions {
    /// 0 is greedy; otherwise logits are divided by it. Range 0 to 5.
    pub temperature: f32,
    /// Keep the `top_k` likeliest tokens; 0 keeps all.
    pub top_k: usize,
    /// Keep the likeliest tokens whose probabilities sum to `top_p`; 1 keeps all. Range above 0 to 1.
    pub top_p: f32,
    /// Keep tokens at least `min_p` times as likely as the likeliest; 0 keeps all. Range 0 to 1.
    pub min_p: f32,
    /// Divides positive and multiplies negative logits of tokens already in the context; 1 is off. Range above 0 to 10.
    pub repetition_penalty: f32,
    /// Start of the random sequence; the same seed gives the same answer.
    pub seed: u64,
}

impl Default for SamplingOptions {
    fn default() -> Self {
        Self {
            temperature: 0.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            seed: 0,
        }
    }
}

impl SamplingOptions {
    /// Checks the ranges.
    ///
    /// # Errors
    /// The first value that is out of its range.
    pub fn validate(&self) -> Result<(), OptionError> {
        let above_0_to = |value: f32, end: f32| value > 0.0 && value <= end;
        let from_0_to = |value: f32, end: f32| (0.0..=end).contains(&value);
        let Self {
            temperature,
            top_p,
            min_p,
            repetition_penalty,
            ..
        } = *self;
        OptionError::unless(
            from_0_to(temperature, 5.0),
            "temperature",
            temperature,
            "0 to 5",
        )?;
        OptionError::unless(above_0_to(top_p, 1.0), "top_p", top_p, "above 0 to 1")?;
        OptionError::unless(from_0_to(min_p, 1.0), "min_p", min_p, "0 to 1")?;
        let holds = above_0_to(repetition_penalty, 10.0);
        OptionError::unless(
            holds,
            "repetition_penalty",
            repetition_penalty,
            "above 0 to 10",
        )
    }
}

/// How many tokens may be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Most tokens generated, thought and answer together. At least 1.
    pub max_tokens: usize,
    /// Most tokens of thought; when they are spent the thought is closed for the model and it answers. The tokens
    /// that close it count as `max_tokens`. 0 closes the thought at once; `None` lets it run.
    pub max_think_tokens: Option<usize>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            max_tokens: 1024,
            max_think_tokens: None,
        }
    }
}

impl Budget {
    /// Checks the ranges.
    ///
    /// # Errors
    /// If there is no token to spend.
    pub fn validate(&self) -> Result<(), OptionError> {
        OptionError::unless(
            self.max_tokens > 0,
            "max_tokens",
            self.max_tokens,
            "at least 1",
        )
    }
}

/// The conventions of a model, as its files state them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineOptions {
    /// Source of the chat template, in the dialect of Hugging Face's transformers.
    pub chat_template: String,
    /// File the chat template comes from, for error texts.
    pub chat_template_name: String,
    /// Text of the token that begins a prompt; the template may print it. Empty where there is none.
    pub bos_token: String,
    /// Text of the token that ends a turn; the template may print it. Empty where there is none.
    pub eos_token: String,
    /// Tokens that end the answer; at least one.
    pub eos_token_ids: Vec<u32>,
    /// Text that opens a thought. Empty, as [`Self::think_close`] then must be, for a model that does not think.
    pub think_open: String,
    /// Text that closes a thought.
    pub think_close: String,
    /// Most tokens of a prompt read in one step; between steps the generation can be interrupted. At least 1.
    pub prefill_chunk_tokens: usize,
    /// The same while other answers are being written, which wait for the step: fewer, so that they keep flowing.
    /// Above [`Self::prefill_chunk_tokens`] it counts as that. At least 1.
    pub prefill_beside_tokens: usize,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            chat_template: String::new(),
            chat_template_name: "chat_template.jinja".to_owned(),
            bos_token: String::new(),
            eos_token: String::new(),
            eos_token_ids: Vec::new(),
            think_open: "<think>".to_owned(),
            think_close: "</think>".to_owned(),
            prefill_chunk_tokens: 128,
            prefill_beside_tokens: 32,
        }
    }
}

impl EngineOptions {
    /// Checks all but the chat template.
    pub(super) fn validate(&self) -> Result<(), EngineError> {
        let chunk = self.prefill_chunk_tokens;
        OptionError::unless(chunk > 0, "prefill_chunk_tokens", chunk, "at least 1")?;
        let beside = self.prefill_beside_tokens;
        OptionError::unless(beside > 0, "prefill_beside_tokens", beside, "at least 1")?;
        if self.eos_token_ids.is_empty() {
            return Err(EngineError::NoEndToken);
        }
        if self.think_open.trim().is_empty() != self.think_close.trim().is_empty() {
            let (open, close) = (self.think_open.clone(), self.think_close.clone());
            return Err(EngineError::ThinkTags { open, close });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_value_that_is_out_of_range() {
        let refused = |sampling: SamplingOptions| sampling.validate().unwrap_err().to_string();
        let base = SamplingOptions::default;
        assert_eq!(
            refused(SamplingOptions {
                temperature: 9.0,
                ..base()
            }),
            "temperature is 9, its range is 0 to 5"
        );
        for (field, options) in [
            (
                "temperature",
                SamplingOptions {
                    temperature: f32::NAN,
                    ..base()
                },
            ),
            (
                "top_p",
                SamplingOptions {
                    top_p: 0.0,
                    ..base()
                },
            ),
            (
                "top_p",
                SamplingOptions {
                    top_p: 1.5,
                    ..base()
                },
            ),
            (
                "min_p",
                SamplingOptions {
                    min_p: -0.1,
                    ..base()
                },
            ),
            (
                "repetition_penalty",
                SamplingOptions {
                    repetition_penalty: 0.0,
                    ..base()
                },
            ),
        ] {
            assert!(refused(options).starts_with(field), "{field}");
        }
        assert!(base().validate().is_ok());
        assert!(
            Budget {
                max_tokens: 0,
                max_think_tokens: None
            }
            .validate()
            .is_err()
        );
    }

    #[test]
    fn refuses_conventions_that_cannot_work() {
        let base = || EngineOptions {
            eos_token_ids: vec![1],
            ..EngineOptions::default()
        };
        let half = EngineOptions {
            think_close: String::new(),
            ..base()
        };
        assert!(matches!(
            half.validate(),
            Err(EngineError::ThinkTags { .. })
        ));
        let endless = EngineOptions {
            eos_token_ids: Vec::new(),
            ..base()
        };
        assert!(matches!(endless.validate(), Err(EngineError::NoEndToken)));
        let thoughtless = EngineOptions {
            think_open: String::new(),
            think_close: String::new(),
            ..base()
        };
        assert!(thoughtless.validate().is_ok());
    }
}
