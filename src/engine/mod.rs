//! The generation loop: messages become tokens, tokens become a thought and an answer.
//!
//! Synchronous, single-threaded, deterministic for a seed. Knows nothing of MQTT, threads, or which model it runs.
//!
//! ```text
//! messages ─ control_text ─ chat_template ─▶ tokens ─▶ context ─▶ sampler ─▶ token
//!                                                         ▲ fed back ◀─────────┤
//! Event ◀─ trim ◀─ stop ◀─ reasoning ◀─ text_stream ◀─────(writer)─────────────┘
//! ```

mod candidates;
mod chat_template;
mod constraint;
mod context;
mod control;
mod control_text;
mod error;
mod event;
mod options;
mod penalty;
mod python_json;
mod random;
mod reasoning;
mod request;
mod sampler;
mod stop;
mod text_stream;
mod trim;
mod turn;
mod writer;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::model::{LanguageModel, TokenText};
use chat_template::ChatTemplate;
use context::Context;
use control_text::ControlTexts;
use sampler::Sampler;
use turn::Turn;
use writer::Writer;

pub use constraint::{Constraint, ResponseFormat, Schema, SchemaError};
pub use control::{Control, Interrupt, Uninterrupted};
pub use error::{EngineError, OptionError};
pub use event::{Completion, Event, FinishReason, Timing, Usage};
pub use options::{Budget, EngineOptions, SamplingOptions};
pub use reasoning::{Phase, ReasoningSplitter, Split};
pub use request::{GenerationRequest, Message, Role, STOP_SEQUENCE_BYTES_MAX, STOP_SEQUENCES_MAX};

/// A model and all it takes to converse with it; answers one request at a time.
pub struct Engine {
    context: Context,
    text: Arc<dyn TokenText>,
    template: ChatTemplate,
    control_texts: ControlTexts,
    /// What the model is made to say when its thought has cost enough.
    closing_tokens: Vec<u32>,
    options: EngineOptions,
}

impl Engine {
    /// Joins a model with its tokenizer and its conventions.
    ///
    /// # Errors
    /// If the options cannot work: no end token, half a pair of think tags, or a chat template that is absent,
    /// does not parse, or cannot render a question.
    pub fn new(
        model: Box<dyn LanguageModel>,
        text: Arc<dyn TokenText>,
        options: EngineOptions,
    ) -> Result<Self, EngineError> {
        options.validate()?;
        let template = ChatTemplate::new(&options)?;
        let control_texts = ControlTexts::new(text.as_ref(), &options);
        let closing_tokens = closing_tokens(text.as_ref(), &options.think_close)?;
        let context = Context::new(model);
        Ok(Self {
            context,
            text,
            template,
            control_texts,
            closing_tokens,
            options,
        })
    }

    /// Answers `request`, telling the thought and the answer to `sink` as they come.
    ///
    /// `control` is looked at between tokens and between the chunks of the prompt. An interrupt is not an error:
    /// the completion holds what there is by then.
    ///
    /// # Errors
    /// If the request cannot be served (found before any computation), or the model fails.
    pub fn generate(
        &mut self,
        request: &GenerationRequest,
        control: &dyn Control,
        sink: &mut dyn FnMut(Event<'_>),
    ) -> Result<Completion, EngineError> {
        let called = Instant::now();
        request.validate()?;
        let mut prompt = self.prompt(&request.messages)?;
        let prompt_tokens = prompt.tokens.len();
        let room = self.room(prompt_tokens)?;
        let sampler = Sampler::new(&request.sampling, &prompt.tokens);
        let (open, close) = (&self.options.think_open, &self.options.think_close);
        let splitter = ReasoningSplitter::new(open, close, prompt.opens_thought);
        let writer = Writer::new(self.text.as_ref(), splitter, &request.stop, sink);

        let reused_tokens = self.context.keep_common_prefix(&mut prompt.tokens);
        tracing::debug!(prompt_tokens, reused_tokens, "Reading the prompt.");
        let prompt_ready = Instant::now();
        let mut turn = Turn {
            context: &mut self.context,
            options: &self.options,
            closing_tokens: &self.closing_tokens,
            tokens_max: room.min(request.budget.max_tokens),
            think_tokens_max: request.budget.max_think_tokens.unwrap_or(usize::MAX),
            unread: prompt.tokens,
            sampler,
            writer,
            first_token: None,
        };
        let finish_reason = turn.run(control)?;

        let timing = Timing::between(called, prompt_ready, turn.first_token);
        let written = turn.writer.finish()?;
        let usage = Usage {
            prompt_tokens,
            reused_tokens,
            ..written.usage
        };
        tracing::debug!(?finish_reason, ?usage, ?timing, "Answer finished.");
        let (thought, answer) = (written.thought, written.answer);
        Ok(Completion {
            thought,
            answer,
            finish_reason,
            usage,
            timing,
        })
    }

    /// Number of tokens `messages` take as a prompt, chat template included. Computes nothing.
    ///
    /// # Errors
    /// If the messages cannot become a prompt.
    pub fn count_prompt_tokens(&self, messages: &[Message]) -> Result<usize, EngineError> {
        Ok(self.prompt(messages)?.tokens.len())
    }

    /// Most tokens, prompt and generated together, that the model can hold.
    #[must_use]
    pub fn context_tokens(&self) -> usize {
        self.context.capacity()
    }

    fn prompt(&self, messages: &[Message]) -> Result<Prompt, EngineError> {
        let messages = self
            .control_texts
            .neutralise(messages, self.text.as_ref())?;
        let rendered = self.template.render(&messages)?;
        let tokens = self.text.encode(&rendered)?;
        if tokens.is_empty() {
            let reason = "the chat template makes nothing of them".to_owned();
            return Err(EngineError::MessagesRefused { reason });
        }
        let open = &self.options.think_open;
        let opens_thought = !open.is_empty() && rendered.trim_end().ends_with(open);
        Ok(Prompt {
            tokens,
            opens_thought,
        })
    }

    /// Tokens that can be generated after a prompt; an error where there is room for none.
    fn room(&self, prompt_tokens: usize) -> Result<usize, EngineError> {
        let context_tokens = self.context_tokens();
        if prompt_tokens >= context_tokens {
            return Err(EngineError::PromptTooLong {
                tokens: prompt_tokens,
                context_tokens,
            });
        }
        Ok(context_tokens - prompt_tokens)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

/// What the model is given to read.
struct Prompt {
    tokens: Vec<u32>,
    /// Whether the template has already written the opening think tag.
    opens_thought: bool,
}

/// The tokens that close a thought: the tag between line ends, as reasoning models write it, or alone where the
/// tokenizer does not know line ends. None where it does not know the tag: such a model does not think.
fn closing_tokens(text: &dyn TokenText, close: &str) -> Result<Vec<u32>, EngineError> {
    for closing in [format!("\n{close}\n\n"), close.to_owned()] {
        let tokens = text.encode(&closing)?;
        if text.decode(&tokens)? == closing {
            return Ok(tokens);
        }
    }
    tracing::warn!(
        tag = close,
        "The tokenizer cannot write the closing think tag."
    );
    Ok(Vec::new())
}
