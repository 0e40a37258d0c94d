//! What answers: the engine, or something scripted in tests.

use super::error::{Code, RequestError};
use crate::engine::{
    Completion, Engine, EngineError, GenerationRequest, Interrupt, TurnEvent, TurnId, TurnNews,
};

/// Answers several requests at once; an engine, or something scripted in tests.
pub trait Answerer: Send {
    /// Most turns that can be under way at once; at least one.
    fn streams(&self) -> usize;

    /// Begins to answer `request`.
    ///
    /// # Errors
    /// If the request cannot be answered.
    fn begin(&mut self, request: &GenerationRequest) -> Result<TurnId, AnswerError>;

    /// Brings every turn that is not put aside on by a token or so, and tells what came of it.
    fn step(&mut self) -> Vec<AnswerEvent>;

    /// Puts a turn aside, so that another can take its place.
    fn pause(&mut self, turn: TurnId);

    /// Lets a turn that was put aside go on; it says what it would have said without the pause.
    ///
    /// # Errors
    /// If it cannot go on.
    fn resume(&mut self, turn: TurnId) -> Result<(), AnswerError>;

    /// Ends a turn; the next step tells what there is of its answer.
    fn end(&mut self, turn: TurnId, interrupt: Interrupt);
}

/// What a step brought for a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerEvent {
    /// The next piece of its thought.
    Thought(TurnId, String),
    /// The next piece of its answer.
    Answer(TurnId, String),
    /// Its end; nothing follows.
    Finished(TurnId, Result<Completion, AnswerError>),
}

/// Why a request was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerError {
    /// Another request would have been.
    Refused(RequestError),
    /// Our fault.
    Failed(String),
}

impl From<EngineError> for AnswerError {
    fn from(error: EngineError) -> Self {
        if !error.is_request_fault() {
            return Self::Failed(error.to_string());
        }
        let code = match error {
            EngineError::PromptTooLong { .. } => Code::TooLarge,
            _ => Code::BadRequest,
        };
        Self::Refused(RequestError::new(code, error.to_string()))
    }
}

/// Makes a fresh [`Answerer`] when the old one panicked; the error says why that is impossible.
pub type Rebuild = Box<dyn FnMut() -> Result<Box<dyn Answerer>, String> + Send>;

impl Answerer for Engine {
    fn streams(&self) -> usize {
        Self::streams(self)
    }

    fn begin(&mut self, request: &GenerationRequest) -> Result<TurnId, AnswerError> {
        Ok(Self::begin(self, request)?)
    }

    fn step(&mut self) -> Vec<AnswerEvent> {
        let events = Self::step(self).into_iter();
        let told = |TurnEvent { turn, news }| match news {
            TurnNews::Thought(text) => AnswerEvent::Thought(turn, text),
            TurnNews::Answer(text) => AnswerEvent::Answer(turn, text),
            TurnNews::Finished(completion) => AnswerEvent::Finished(turn, Ok(completion)),
            TurnNews::Failed(error) => AnswerEvent::Finished(turn, Err(error.into())),
        };
        events.map(told).collect()
    }

    fn pause(&mut self, turn: TurnId) {
        Self::pause(self, turn);
    }

    fn resume(&mut self, turn: TurnId) -> Result<(), AnswerError> {
        Ok(Self::resume(self, turn)?)
    }

    fn end(&mut self, turn: TurnId, interrupt: Interrupt) {
        Self::end(self, turn, interrupt);
    }
}
