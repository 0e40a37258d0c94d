//! The generation loop: messages become tokens, tokens become a thought and an answer; several at once.
//!
//! Synchronous, single-threaded, deterministic for a seed, whatever else is answered meanwhile. Knows nothing of MQTT,
//! threads, or which model it runs.
//!
//! ```text
//! messages ─ control_text ─ chat_template ─▶ tokens ─▶ lanes ─▶ sampler ─▶ token      one turn;
//!                                                       ▲ fed back ◀────────┤        step: all turns, one pass
//! TurnNews ◀─ trim ◀─ stop ◀─ reasoning ◀─ text_stream ◀─────(writer)───────┘        over the weights
//! ```
//! Where an answer has a form, the sampler asks the writer before it chooses a token, and that its `constraint`.

mod beginnings;
mod candidates;
mod chat_template;
mod constraint;
mod control;
mod control_text;
mod error;
mod event;
mod lanes;
mod options;
mod penalty;
mod python_json;
mod random;
mod reasoning;
mod request;
mod sampler;
mod step;
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
use control_text::ControlTexts;
use lanes::Lanes;
use sampler::Sampler;
use turn::{Clock, Turn};
use writer::Writer;

pub use beginnings::PrefixFolder;
pub use constraint::{Constraint, ResponseFormat, Schema, SchemaError};
pub use control::{Control, Interrupt, Uninterrupted};
pub use error::{EngineError, OptionError};
pub use event::{Completion, Event, FinishReason, Timing, TurnEvent, TurnId, TurnNews, Usage};
pub use options::{Budget, EngineOptions, SamplingOptions};
pub use reasoning::{Phase, ReasoningSplitter, Split};
pub use request::{GenerationRequest, Message, Role, STOP_SEQUENCE_BYTES_MAX, STOP_SEQUENCES_MAX};

/// A model and all it takes to converse with it.
///
/// [`Self::generate`] answers one request. For several at once, each is begun as a turn ([`Self::begin`]), and every
/// [`Self::step`] brings all of them on for the price of one pass over the weights. What a turn says depends on its
/// request alone: neither on its neighbours, nor on pauses.
pub struct Engine {
    lanes: Lanes,
    /// Those under way and those put aside, the oldest first.
    turns: Vec<Turn>,
    last_turn: u64,
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
        Ok(Self {
            lanes: Lanes::new(model),
            turns: Vec::new(),
            last_turn: 0,
            text,
            template,
            control_texts,
            closing_tokens,
            options,
        })
    }

    /// Keeps what many prompts begin with in `folder`, with its keys and values, so that the next process need not read it.
    #[must_use]
    pub fn with_prefixes(mut self, folder: PrefixFolder) -> Self {
        self.lanes.keep_beginnings(folder);
        self
    }

    /// Answers `request`, telling the thought and the answer to `sink` as they come. Turns that are under way stand
    /// still meanwhile.
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
        let turn = self.begin(request)?;
        loop {
            if let Some(interrupt) = control.interrupt() {
                self.end(turn, interrupt);
            }
            for event in self.step_of(Some(turn)) {
                match event.news {
                    TurnNews::Thought(text) => sink(Event::Thought(&text)),
                    TurnNews::Answer(text) => sink(Event::Answer(&text)),
                    TurnNews::Finished(completion) => return Ok(completion),
                    TurnNews::Failed(error) => return Err(error),
                }
            }
            control.progress();
        }
    }

    /// Most turns that can be under way at once.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.lanes.count()
    }

    /// Begins to answer `request`: the turn's first tokens come with the next [`Self::step`].
    ///
    /// # Errors
    /// If the request cannot be served, or as many turns as there are streams are under way.
    pub fn begin(&mut self, request: &GenerationRequest) -> Result<TurnId, EngineError> {
        let called = Instant::now();
        request.validate()?;
        let prompt = self.prompt(&request.messages)?;
        let prompt_tokens = prompt.tokens.len();
        let room = self.room(prompt_tokens)?;
        let (open, close) = (&self.options.think_open, &self.options.think_close);
        let splitter = ReasoningSplitter::new(open, close, prompt.opens_thought);
        self.last_turn += 1;
        let mut turn = Turn {
            id: TurnId(self.last_turn),
            lane: None,
            sampler: Sampler::new(&request.sampling, &prompt.tokens),
            tokens: prompt.tokens,
            prompt_tokens,
            tokens_max: room.min(request.budget.max_tokens),
            think_tokens_max: request.budget.max_think_tokens.unwrap_or(usize::MAX),
            writer: Writer::new(Arc::clone(&self.text), splitter, request),
            ending: None,
            clock: Clock {
                called,
                prompt_ready: Instant::now(),
                first_token: None,
            },
            reach: 0,
            reused_tokens: 0,
        };
        let id = turn.id;
        seat(&mut self.lanes, &mut turn)?;
        self.lanes.saw(&turn.tokens);
        let reused_tokens = turn.reused_tokens;
        tracing::debug!(prompt_tokens, reused_tokens, "Reading the prompt.");
        self.turns.push(turn);
        Ok(id)
    }

    /// Brings every turn that is not put aside on by one pass over the weights, and tells what came of it. What fails
    /// for one turn ends that turn alone. Nothing is told where no turn is under way.
    pub fn step(&mut self) -> Vec<TurnEvent> {
        self.step_of(None)
    }

    /// Puts a turn aside: its lane is free for others, and nothing of it is lost. A turn that is not under way is let
    /// be.
    pub fn pause(&mut self, turn: TurnId) {
        let lane = self.find(turn).and_then(|turn| turn.lane.take());
        if let Some(lane) = lane {
            self.lanes.leave(lane);
        }
    }

    /// Lets a turn that was put aside go on. What its lane has not kept for it is read again, and it says what it
    /// would have said without the pause. A turn that is not put aside is let be.
    ///
    /// # Errors
    /// If as many turns as there are streams are under way.
    pub fn resume(&mut self, turn: TurnId) -> Result<(), EngineError> {
        let mut turns = self.turns.iter_mut();
        match turns.find(|held| held.id == turn && held.lane.is_none()) {
            Some(turn) => seat(&mut self.lanes, turn),
            None => Ok(()),
        }
    }

    /// Ends a turn, under way or put aside: the next step tells what there is of it. A turn that has ended is let be.
    pub fn end(&mut self, turn: TurnId, interrupt: Interrupt) {
        if let Some(turn) = self.find(turn) {
            turn.ending.get_or_insert(Ok(interrupt.into()));
        }
    }

    fn find(&mut self, turn: TurnId) -> Option<&mut Turn> {
        self.turns.iter_mut().find(|held| held.id == turn)
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
        self.lanes.capacity()
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
            .field("lanes", &self.lanes)
            .field("turns", &self.turns.len())
            .finish_non_exhaustive()
    }
}

/// Gives `turn` a lane.
fn seat(lanes: &mut Lanes, turn: &mut Turn) -> Result<(), EngineError> {
    let streams = lanes.count();
    let lane = lanes
        .take(&turn.tokens)
        .ok_or(EngineError::NoStream { streams })?;
    turn.lane = Some(lane);
    turn.found(lanes.held(lane));
    Ok(())
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
